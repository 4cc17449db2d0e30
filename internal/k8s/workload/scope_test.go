package workload

import (
	"errors"
	"strings"
	"testing"
)

func TestScope(t *testing.T) {
	const fits = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n"
	for text, want := range map[string]string{
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}":             "",
		"apiVersion: example.org/v1\nkind: Namespace\nmetadata: {name: a}":                      "", // somebody's own kind
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}":                                  "Namespace a is of the whole cluster",
		"apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: ClusterRole\nmetadata: {name: a}": "ClusterRole a is of the whole cluster",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}":                 "leave metadata.namespace out",
	} {
		err := parsed(t, fits+text).Scope()
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrScope) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
