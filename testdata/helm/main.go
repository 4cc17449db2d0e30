// Command helm renders the chart of deploy/chart as 'helm template' does, to stdout:
//
//	helm CHART RELEASE NAMESPACE [VALUES_FILE]
//
// It is Helm's own engine and loader, in a module of its own: Helm as a whole would more than double the dependencies of
// Angler. Objects come in the order in which Helm installs them.
package main

import (
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
)

func main() {
	if err := render(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		os.Exit(1)
	}
}

func render(args []string) error {
	if len(args) < 3 || len(args) > 4 {
		return fmt.Errorf("usage: helm CHART RELEASE NAMESPACE [VALUES_FILE]")
	}
	chart, err := loader.Load(args[0])
	if err != nil {
		return err
	}
	values := chartutil.Values{}
	if len(args) == 4 {
		if values, err = chartutil.ReadValuesFile(args[3]); err != nil {
			return err
		}
	}
	release := chartutil.ReleaseOptions{Name: args[1], Namespace: args[2], Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return err
	}
	for name := range files {
		if len(name) > 4 && name[len(name)-4:] == ".txt" {
			delete(files, name)
		}
	}
	_, objects, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	for _, o := range objects {
		fmt.Printf("---\n# Source: %s\n%s\n", o.Name, o.Content)
	}
	return nil
}
