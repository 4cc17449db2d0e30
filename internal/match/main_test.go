package match_test

import (
	"testing"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

func TestMain(m *testing.M) { k8stest.Main(m) }
