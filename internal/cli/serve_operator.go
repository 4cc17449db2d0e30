package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/angler-dex/angler/internal/node"
)

// operatorFlags let the cluster's own objects say what is offered.
type operatorFlags struct {
	on        bool
	namespace string
}

// podNamespace holds the namespace of the pod that we run in, if we do.
const podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// defaultNamespace is where contributions are outside of a pod.
const defaultNamespace = "angler-system"

func (o *operatorFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&o.on, "operator", false, "offer what PoolContribution objects of the cluster say, and show leases as PoolLease objects")
	f.StringVar(&o.namespace, "operator-namespace", "", "`namespace` of these objects (default the pod's own, else "+defaultNamespace+")")
	sample(f, "operator-namespace", defaultNamespace)
}

// operate puts the flags into a configuration.
func (o *operatorFlags) operate(cfg *node.Config) error {
	switch {
	case !o.on && o.namespace != "":
		return usagef("--operator-namespace goes with --operator; for example --operator --operator-namespace %s", defaultNamespace)
	case !o.on:
		return nil
	case cfg.DHTOnly:
		return usagef("--operator offers capacity, which --dht-only does not; leave one of them out")
	}
	var err error
	if cfg.Operator, err = ownNamespace(o.namespace); err != nil {
		return err
	}
	if len(validation.IsDNS1123Label(cfg.Operator)) > 0 {
		return flagError("operator-namespace", fmt.Sprintf("%q is not the name of a namespace", clean(cfg.Operator)), "--operator-namespace "+defaultNamespace)
	}
	return nil
}

// ownNamespace is the namespace that was named, else that of the pod that we run in, else the usual one.
func ownNamespace(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	own, err := os.ReadFile(podNamespace)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return cmp.Or(strings.TrimSpace(string(own)), defaultNamespace), nil
}
