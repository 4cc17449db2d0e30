package k8s

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

// A flag goes before $KUBECONFIG; with neither, outside a pod, there is no cluster, whatever ~/.kube/config says.
func TestOpen(t *testing.T) {
	real := k8stest.Start(t)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("clusters: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".kube"), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".kube", "config"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for _, c := range []struct {
		name, flag, env string
		fails           string
	}{
		{"flag", real, "", ""},
		{"environment", "", real, ""},
		{"environment, a list", "", "/nowhere" + string(filepath.ListSeparator) + real, ""},
		{"flag before environment", real, broken, ""},
		{"neither", "", "", "no kubeconfig was given"},
		{"flag names no file", "/nowhere", real, "/nowhere"},
		{"environment names no file", "", "/nowhere", "$KUBECONFIG=/nowhere"},
		{"broken", broken, "", broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", c.env)
			cluster, err := Open(Config{Kubeconfig: c.flag, Now: time.Now})
			if c.fails != "" {
				if !errors.Is(err, ErrNoCluster) || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := cluster.Ping(testContext(t)); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(cluster.Server(), "https://127.0.0.1:") {
				t.Errorf("server %q", cluster.Server())
			}
		})
	}
}

// What tenants could not verify is refused when the daemon starts, not when somebody has won a match.
func TestOpenRefusesWhatTenantsCouldNotUse(t *testing.T) {
	ca, _ := testCA(t, "ca")
	write := func(cluster clientcmdapi.Cluster) string {
		config := clientcmdapi.NewConfig()
		config.Clusters["c"] = &cluster
		config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: "t"}
		config.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
		config.CurrentContext = "x"
		path := filepath.Join(t.TempDir(), "kubeconfig")
		if err := clientcmd.WriteToFile(*config, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name    string
		cluster clientcmdapi.Cluster
		config  Config
		fails   string
	}{
		{"usable", clientcmdapi.Cluster{Server: "https://k.example:6443", CertificateAuthorityData: ca}, Config{}, ""},
		{"a comment in the CA", clientcmdapi.Cluster{Server: "https://k.example", CertificateAuthorityData: append([]byte("# ours\n"), ca...)}, Config{}, ""},
		{"another address for tenants", clientcmdapi.Cluster{Server: "http://10.0.0.1"}, Config{Server: "https://k.example", CA: ca}, ""},
		{"not https", clientcmdapi.Cluster{Server: "http://k.example"}, Config{}, "not https"},
		{"no CA", clientcmdapi.Cluster{Server: "https://k.example"}, Config{}, "no certificate"},
		{"not verified", clientcmdapi.Cluster{Server: "https://k.example", InsecureSkipTLSVerify: true}, Config{}, "no certificate"},
		{"a bad address for tenants", clientcmdapi.Cluster{Server: "https://k.example", CertificateAuthorityData: ca}, Config{Server: "https://u:p@k.example"}, "user information"},
		{"a bad CA for tenants", clientcmdapi.Cluster{Server: "https://k.example", CertificateAuthorityData: ca}, Config{CA: []byte("x")}, "no certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Kubeconfig, c.config.Now = write(c.cluster), time.Now
			cluster, err := Open(c.config)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(cluster.ca, ca) {
				t.Errorf("tenants get the CA %q", cluster.ca)
			}
		})
	}
}
