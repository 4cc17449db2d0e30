package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	k8syaml "sigs.k8s.io/yaml"
)

// share is the folder that packages are filled from, with the binary that wrote it.
var share = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(tools, "share")
	out, err := exec.Command("sh", filepath.Join("packages", "share.sh"), dir).CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return dir, err
})

// shared is share, in a test.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := share()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// angler runs the binary with a state folder of its own, and returns its exit code and what it said.
func angler(t *testing.T, environment []string, args ...string) (int, string) {
	t.Helper()
	c := exec.Command(filepath.Join(shared(t), "angler"), args...)
	c.Env = append(environment, "ANGLER_STATE_DIR="+t.TempDir())
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// serves checks that flags, their values and the environment are right: a daemon with a fresh state folder then misses nothing but its pool.
func serves(t *testing.T, environment []string, args ...string) {
	t.Helper()
	if code, said := angler(t, environment, args...); code != 1 || !strings.Contains(said, "no pool was joined") {
		t.Errorf("%q with %q ends with %d: %s", args, environment, code, said)
	}
}

// A release is what these tests read of goreleaser.yaml.
type release struct {
	Builds []struct {
		Binary       string
		Goos, Goarch []string
	}
	Packages []struct {
		Contents []struct{ Src, Dst, Type string }
		Scripts  map[string]string
	} `json:"nfpms"`
	Images []struct {
		Dockerfile              string
		Images, Tags, Platforms []string
		Files                   []string `json:"extra_files"`
	} `json:"dockers_v2"`
}

func readRelease(t *testing.T) release {
	t.Helper()
	var r release
	if err := k8syaml.Unmarshal(read(t, filepath.Join("..", "goreleaser.yaml")), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Builds) != 1 || len(r.Packages) != 1 || len(r.Images) != 1 {
		t.Fatalf("goreleaser.yaml: %d builds, %d packages, %d images; these tests know one of each", len(r.Builds), len(r.Packages), len(r.Images))
	}
	return r
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// statefulSet is that of the chart, rendered with values.
func statefulSet(t *testing.T, values string) corev1.PodSpec {
	t.Helper()
	for _, o := range bytes.Split(render(t, values), []byte("---\n")) {
		if bytes.Contains(o, []byte("kind: StatefulSet")) {
			var s appsv1.StatefulSet
			if err := k8syaml.UnmarshalStrict(o, &s); err != nil {
				t.Fatal(err)
			}
			return s.Spec.Template.Spec
		}
	}
	t.Fatal("the chart has no StatefulSet")
	return corev1.PodSpec{}
}

// lastStage returns the instructions of a Dockerfile's last stage, arguments by name.
func lastStage(t *testing.T, file string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for line := range strings.Lines(string(read(t, file))) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "", "#":
		case "FROM":
			found = map[string][]string{name: {rest}}
		default:
			found[name] = append(found[name], rest)
		}
	}
	return found
}

// Image, chart and release agree on the user, the ports, the folders, the name, and what is copied.
func TestImage(t *testing.T) {
	r, pod := readRelease(t), statefulSet(t, "")
	image := lastStage(t, filepath.Join("..", r.Images[0].Dockerfile))
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	same("base", strings.Join(image["FROM"], ";"), "scratch")
	same("user", strings.Join(image["USER"], ";"), "65532:65532")
	s := pod.SecurityContext
	same("user of the chart", [3]int64{*s.RunAsUser, *s.RunAsGroup, *s.FSGroup}, [3]int64{65532, 65532, 65532})

	var ports []string
	for _, p := range pod.Containers[0].Ports {
		ports = append(ports, fmt.Sprintf("%d/%s", p.ContainerPort, strings.ToLower(string(p.Protocol))))
	}
	same("ports", strings.Join(image["EXPOSE"], " "), strings.Join(ports, " "))

	binary := "/usr/bin/" + r.Builds[0].Binary
	same("entry point", strings.Join(image["ENTRYPOINT"], ";"), `["`+binary+`"]`)
	copied := []string{"$TARGETPLATFORM/" + r.Builds[0].Binary + " " + binary}
	for _, f := range r.Images[0].Files {
		copied = append(copied, f+" /usr/share/doc/angler/"+f)
		read(t, filepath.Join("..", f))
	}
	const volume = "/var/lib/angler"
	copied = append(copied, "--from=state --chown=65532:65532 "+volume+" "+volume)
	slices.Sort(copied)
	same("copied", strings.Join(slices.Sorted(slices.Values(image["COPY"])), "; "), strings.Join(copied, "; "))

	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		same("command of "+c.Name, len(c.Command), 0) // it is the entry point's
		same("state of "+c.Name, "ANGLER_STATE_DIR="+c.Env[0].Value, strings.Join(image["ENV"], ";"))
		same("volume of "+c.Name, c.VolumeMounts[0].MountPath, volume)
		same("folder of the state of "+c.Name, path.Dir(c.Env[0].Value), volume)
		if !*c.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s may write to its root", c.Name)
		}
		// The tag of a release is its version without v, and so has the chart's appVersion to be.
		name, tag, _ := strings.Cut(c.Image, ":")
		same("image of "+c.Name, name, strings.Join(r.Images[0].Images, ";"))
		if tag == "" || strings.Trim(tag, "0123456789.") != "" {
			t.Errorf("the chart's image has the tag %q", tag)
		}
	}
	same("tag", strings.Join(r.Images[0].Tags, ";"), "{{ .Version }}")
	for _, p := range r.Images[0].Platforms {
		system, processor, _ := strings.Cut(p, "/")
		if !slices.Contains(r.Builds[0].Goos, system) || !slices.Contains(r.Builds[0].Goarch, processor) {
			t.Errorf("nothing is built for %s", p)
		}
	}
}

// What the chart makes the image's containers do is what the binary can.
func TestChartFlags(t *testing.T) {
	template := t.TempDir()
	for _, values := range []string{"", everything, "operator: {enabled: false}\n"} {
		pod := statefulSet(t, values)
		args := pod.Containers[0].Args
		if i := slices.Index(args, "--template=/etc/angler/template"); i >= 0 {
			args[i] = "--template=" + template
		}
		serves(t, nil, args...)
		if code, said := angler(t, nil, pod.InitContainers[0].Args...); code != 0 || len(strings.Fields(said)) != 1 {
			t.Errorf("%q ends with %d: %s", pod.InitContainers[0].Args, code, said)
		}
		if code, said := angler(t, nil, pod.InitContainers[1].Args...); code != 2 || !strings.Contains(said, "no such file") {
			t.Errorf("%q ends with %d: %s", pod.InitContainers[1].Args, code, said)
		}
	}
}

// directives reads a unit: values by name, in their order.
func directives(t *testing.T, file string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for line := range strings.Lines(string(read(t, file))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = append(found[name], value)
		}
	}
	return found
}

// Unit, its user, its folders and its environment agree with each other and with the binary.
func TestUnit(t *testing.T) {
	unit := directives(t, filepath.Join("systemd", "angler.service"))
	one := func(name string) string {
		t.Helper()
		if len(unit[name]) != 1 {
			t.Fatalf("the unit has %d %s", len(unit[name]), name)
		}
		return unit[name][0]
	}
	command := strings.Fields(strings.ReplaceAll(one("ExecStart"), "%d", t.TempDir()))
	if want := readRelease(t).Builds[0].Binary; command[0] != want {
		t.Errorf("the unit starts %s, which is found wherever it is installed as %s", command[0], want)
	}
	serves(t, nil, command[1:]...)

	user, state := one("User"), "/var/lib/"+one("StateDirectory")
	if got := one("Environment"); got != "ANGLER_STATE_DIR="+state || one("StateDirectoryMode") != "0700" {
		t.Errorf("the state is in %s with %s, systemd makes %s", got, one("StateDirectoryMode"), state)
	}
	for file, want := range map[string]string{
		"sysusers.conf": "u " + user + ` - "Angler" ` + state + "\n",
		"tmpfiles.conf": "d " + state + " 0700 " + user + " " + one("Group") + " -\n",
	} {
		if text := read(t, filepath.Join("systemd", file)); !strings.HasSuffix(string(text), "\n"+want) {
			t.Errorf("%s does not end with %q", file, want)
		}
	}

	var sample []string
	for line := range strings.Lines(string(read(t, filepath.Join("systemd", "environment")))) {
		if variable, ok := strings.CutPrefix(strings.TrimSpace(line), "#ANGLER_"); ok {
			sample = append(sample, "ANGLER_"+variable)
		}
	}
	if len(sample) == 0 {
		t.Error("the environment shows no variable")
	}
	serves(t, sample, command[1:]...)
	for _, variable := range sample {
		name, _, _ := strings.Cut(variable, "=")
		if code, said := angler(t, []string{name + "=?"}, command[1:]...); code != 2 {
			t.Errorf("nothing reads %s: exit code %d: %s", name, code, said)
		}
	}
}

// A package has what the unit wants, and its sources exist.
func TestPackages(t *testing.T) {
	r, unit := readRelease(t), directives(t, filepath.Join("systemd", "angler.service"))
	from, dir := map[string]string{}, shared(t)
	for _, c := range r.Packages[0].Contents {
		from[c.Dst] = c.Src
		if c.Src == "" {
			continue
		}
		file := filepath.Join("..", c.Src)
		if rest, made := strings.CutPrefix(c.Src, "bin/share/"); made {
			file = filepath.Join(dir, rest)
		}
		files, err := filepath.Glob(file)
		if err != nil || len(files) == 0 {
			t.Errorf("there is no %s for %s (%v)", c.Src, c.Dst, err)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || info.Size() == 0 {
				t.Errorf("%s is empty (%v)", f, err)
			}
		}
	}
	for what, script := range r.Packages[0].Scripts {
		if text := read(t, filepath.Join("..", script)); !bytes.HasPrefix(text, []byte("#!/bin/sh\n")) {
			t.Errorf("%s, %s, is no shell script", what, script)
		}
	}
	credential, _ := strings.CutPrefix(unit["LoadCredential"][0], "kubeconfig:")
	environment, _ := strings.CutPrefix(unit["EnvironmentFile"][0], "-")
	manual, _, _ := strings.Cut(strings.TrimPrefix(unit["Documentation"][0], "man:"), "(1)")
	for dst, want := range map[string]string{
		"/usr/lib/systemd/system/angler.service": "deploy/systemd/angler.service",
		"/usr/lib/sysusers.d/angler.conf":        "deploy/systemd/sysusers.conf",
		"/usr/lib/tmpfiles.d/angler.conf":        "deploy/systemd/tmpfiles.conf",
		environment:                              "deploy/systemd/environment",
		path.Dir(credential):                     "",
		"/usr/share/man/man1/":                   "bin/share/man/*.1.gz",
	} {
		if got, ok := from[dst]; !ok || got != want {
			t.Errorf("packages have %q as %s, want %q", got, dst, want)
		}
	}
	read(t, filepath.Join(dir, "man", manual+".1.gz"))
}
