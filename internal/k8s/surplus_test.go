package k8s

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

const gi = 1 << 30

var (
	oneByOne = Unit{Arch: "amd64", CPU: 1000, Memory: gi}
	all      = Terms{Share: whole}
)

func roomOf(cpu, memory int64) NodeRoom {
	a := Amounts{CPU: cpu * 1000, Memory: memory * gi, Pods: 100}
	return NodeRoom{Arch: "amd64", Has: a, Free: a}
}

// "A unit that fits on no node is not surplus": eight cpus on eight nodes are no unit of two.
func TestUnitsFitOnNodes(t *testing.T) {
	s := &Survey{}
	for range 8 {
		s.Nodes = append(s.Nodes, roomOf(1, 8))
	}
	if n := s.Units(Unit{Arch: "amd64", CPU: 2000, Memory: gi}, all, nil); n != 0 {
		t.Errorf("%d units of two cpus fit on nodes of one", n)
	}
	if n := s.Units(oneByOne, all, nil); n != 8 {
		t.Errorf("%d units, want 8", n)
	}
	if n := s.Units(Unit{Arch: "arm64", CPU: 1, Memory: 1}, all, nil); n != 0 {
		t.Errorf("%d units of an architecture that no node has", n)
	}
	s.Nodes[0].Free.Pods = 0
	if n := s.Units(oneByOne, all, nil); n != 7 {
		t.Errorf("%d units with one node full of pods, want 7", n)
	}
}

func TestTermsOfSurplus(t *testing.T) {
	s := &Survey{Nodes: []NodeRoom{roomOf(10, 100), roomOf(10, 100)}}
	s.Nodes[1].Free.CPU = 6000 // others take 4 of 20
	lease := func(units, used int64) []Taken {
		s.Leases = map[string]Amounts{"a": {CPU: used * 1000, Memory: used * gi}}
		return []Taken{{LeaseID: "a", Unit: oneByOne, Units: units}}
	}
	for _, tc := range []struct {
		name  string
		terms Terms
		taken []Taken
		want  int64
	}{
		{"all", all, nil, 16},
		{"half", Terms{Share: 5000}, nil, 8},
		{"half of what is not kept", Terms{Share: 5000, KeepCPU: map[string]int64{"amd64": 4000}}, nil, 6},
		{"more is kept than there is", Terms{Share: whole, KeepCPU: map[string]int64{"amd64": 99000}}, nil, 0},
		{"80 % are free", Terms{Share: whole, WhenFree: 7999}, nil, 16},
		{"and not more", Terms{Share: whole, WhenFree: 8000}, nil, 0},
	} {
		if n := s.Units(oneByOne, tc.terms, tc.taken); n != tc.want {
			t.Errorf("%s: %d units, want %d", tc.name, n, tc.want)
		}
	}
	// What is leased is promised once, whether pods use it or not: half of 16, less 3, are 5.
	for used := range int64(4) {
		taken := lease(3, used)
		s.Nodes[0].Free = Amounts{CPU: (10 - used) * 1000, Memory: (100 - used) * gi, Pods: 100 - used}
		if n := s.Units(oneByOne, Terms{Share: 5000}, taken); n != 5 {
			t.Errorf("with %d of 3 used: %d units, want 5", used, n)
		}
		if n := s.Free(taken); n != 6500 {
			t.Errorf("with %d of 3 used: %d free, want 6500", used, n)
		}
	}
	// What is promised and fits nowhere any more leaves nothing.
	if n := s.Units(oneByOne, all, lease(17, 0)); n != 0 {
		t.Errorf("%d units beside a promise that cannot be kept", n)
	}
	// Pods of others that wait come first.
	s.Nodes[0].Free, s.Leases, s.Waiting = s.Nodes[0].Has, nil, Amounts{CPU: 15000}
	if n := s.Units(oneByOne, all, nil); n != 1 {
		t.Errorf("%d units, want 1", n)
	}
}

// What is promised goes where it fits best, so that the large gap stays whole.
func TestPromisesLeaveLargeGaps(t *testing.T) {
	s := &Survey{Nodes: []NodeRoom{roomOf(8, 8), roomOf(2, 2)}}
	if n := s.Units(Unit{Arch: "amd64", CPU: 8000, Memory: 8 * gi}, all, []Taken{{Unit: oneByOne, Units: 2}}); n != 1 {
		t.Errorf("%d units of eight, want 1", n)
	}
}

func TestCardsByModel(t *testing.T) {
	n := roomOf(64, 64)
	n.Models = []string{"h100"}
	n.Has.GPUs, n.Free.GPUs = map[string]int64{"h100": 8}, map[string]int64{"h100": 5}
	s := &Survey{Nodes: []NodeRoom{n, roomOf(64, 64)}}
	u := Unit{Arch: "amd64", CPU: 1000, Memory: gi, Model: "h100", GPUs: 2}
	if n := s.Units(u, all, nil); n != 2 {
		t.Errorf("%d units of two cards, five being free: want 2", n)
	}
	if n := s.Units(u, all, []Taken{{Unit: u, Units: 1}}); n != 1 {
		t.Errorf("%d units beside one that is held, want 1", n)
	}
	if n := s.Nodes[0].Free.GPUs["h100"]; n != 5 {
		t.Errorf("counting has changed what was counted: %d", n)
	}
	u.Model = "a100"
	if n := s.Units(u, all, nil); n != 0 {
		t.Errorf("%d units of a model that no node has", n)
	}
}

// Whatever the terms, what is counted fits beside what is promised: put on the nodes one after the other it finds its place.
func TestSurplusIsThere(t *testing.T) {
	counted := int64(0)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := &Survey{}
		for range 1 + r.IntN(6) {
			n := roomOf(r.Int64N(12), r.Int64N(12))
			n.Free.CPU, n.Free.Memory = n.Free.CPU-r.Int64N(n.Free.CPU+1), n.Free.Memory-r.Int64N(n.Free.Memory+1)
			s.Nodes = append(s.Nodes, n)
		}
		unit := func() Unit {
			return Unit{Arch: "amd64", CPU: 250 * (1 + r.Int64N(12)), Memory: gi / 4 * (1 + r.Int64N(12))}
		}
		var taken []Taken
		for range r.IntN(4) {
			taken = append(taken, Taken{Unit: unit(), Units: r.Int64N(5)})
		}
		u := unit()
		n := s.Units(u, Terms{Share: 1 + r.Int64N(whole)}, taken)
		counted += n
		if n == 0 {
			continue
		}
		f := s.field()
		for _, p := range append(s.unused(taken), Taken{Unit: u, Units: n}) {
			if !f.place(p) {
				t.Fatalf("seed %d: %d units are not there", seed, n)
			}
		}
	}
	if counted < 100 {
		t.Errorf("only %d units in all: the test is not testing", counted)
	}
}

func TestWhatPodsAskFor(t *testing.T) {
	list := func(cpu string) corev1.ResourceList { return corev1.ResourceList{"cpu": resource.MustParse(cpu)} }
	container := func(name, cpu string) corev1.Container {
		return corev1.Container{Name: name, Resources: corev1.ResourceRequirements{Requests: list(cpu)}}
	}
	stays := container("proxy", "1")
	always := corev1.ContainerRestartPolicyAlways
	stays.RestartPolicy = &always
	for name, tc := range map[string]struct {
		pod  corev1.Pod
		want string
	}{
		"nothing":    {corev1.Pod{}, "0"},
		"containers": {corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{container("a", "1"), container("b", "500m")}}}, "1500m"},
		"one before": {corev1.Pod{Spec: corev1.PodSpec{InitContainers: []corev1.Container{container("i", "3")}, Containers: []corev1.Container{container("a", "1")}}}, "3"},
		"one that stays, one before": {corev1.Pod{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{stays, container("i", "3")}, Containers: []corev1.Container{container("a", "1")}}}, "4"},
		"overhead": {corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{container("a", "1")}, Overhead: list("100m")}}, "1100m"},
		"of the pod": {corev1.Pod{Spec: corev1.PodSpec{
			Resources: &corev1.ResourceRequirements{Requests: list("5")}, Containers: []corev1.Container{container("a", "1")}}}, "5"},
		"being made smaller": {corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{container("a", "1")}},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "a", AllocatedResources: list("2")}}}}, "2"},
	} {
		asked, want := asks(&tc.pod), resource.MustParse(tc.want)
		if got := asked.Cpu().MilliValue(); got != want.MilliValue() {
			t.Errorf("%s: %dm, want %s", name, got, tc.want)
		}
	}
}

// A cluster of three nodes (64 cpus and 256Gi each): what it has over follows its pods, its cordons, its leases.
func TestSurveyOfACluster(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.BuildConfigFromFlags("", k8stest.Launch(t, "--nodes", "3"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := open(cfg, Config{Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, set := testContext(t), clientFor(t, cfg)
	spec := leaseOf(t, "leased")
	taken := []Taken{{LeaseID: spec.LeaseID, Unit: oneByOne, Units: 2}}
	units := func(u Unit, taken []Taken) int64 {
		t.Helper()
		s, failed := c.Survey(ctx, spec.Provider, nil)
		if failed != nil {
			t.Fatal(failed)
		}
		return s.Units(u, all, taken)
	}
	if n := units(oneByOne, nil); n != 3*64 {
		t.Fatalf("an empty cluster has %d units over", n)
	}
	// 40 cpus on one node: 152 in all, and two units of 50 where there were three.
	makePod(t, set, "default", "big", "40")
	if n := units(oneByOne, nil); n != 152 {
		t.Errorf("%d units beside a pod of 40, want 152", n)
	}
	if n := units(Unit{Arch: "amd64", CPU: 50000, Memory: gi}, nil); n != 2 {
		t.Errorf("%d units of 50 cpus, want 2", n)
	}
	// A lease's pods are inside what it was promised.
	if _, err = c.Provision(ctx, spec); err != nil {
		t.Fatal(err)
	}
	if n := units(oneByOne, taken); n != 150 {
		t.Errorf("%d units beside a lease of two, want 150", n)
	}
	makePod(t, set, "angler-"+spec.LeaseID[:20], "tenant", "1500m")
	if n := units(oneByOne, taken); n < 149 || n > 150 { // its pod leaves half a cpu on one node, half a unit to come
		t.Errorf("%d units while one and a half of two are used, want 149 or 150", n)
	}
	if n := units(oneByOne, nil); n != 150 { // 1.5 on some node: two units less
		t.Errorf("%d units when that lease is on nobody's books, want 150", n)
	}
	// Cards count where the labels of their model are, less those that pods have.
	node, err := set.CoreV1().Nodes().Get(ctx, "node-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	node.Labels["gpu.product"] = "H100"
	if node, err = set.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	node.Status.Allocatable["nvidia.com/gpu"], node.Status.Capacity["nvidia.com/gpu"] = resource.MustParse("4"), resource.MustParse("4")
	if _, err = set.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	gpus, err := ParseGPUMap([]string{"h100=nvidia.com/gpu;gpu.product=H100", "a100=nvidia.com/gpu;gpu.product=A100"})
	if err != nil {
		t.Fatal(err)
	}
	makePod(t, set, "default", "card", "1", corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")})
	s, err := c.Survey(ctx, spec.Provider, gpus)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]int64{"h100": 3, "a100": 0} {
		if n := s.Units(Unit{Arch: "amd64", CPU: 1000, Memory: gi, Model: model, GPUs: 1}, all, nil); n != want {
			t.Errorf("%d units with a card of %s, want %d", n, model, want)
		}
	}
	// A cordoned node takes no pods.
	if node, err = set.CoreV1().Nodes().Get(ctx, "node-0", metav1.GetOptions{}); err != nil {
		t.Fatal(err)
	}
	node.Spec.Unschedulable = true
	if _, err = set.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := units(oneByOne, nil); n > 128 {
		t.Errorf("%d units with one of three nodes cordoned", n)
	}
}

// More pods than a page holds are all counted; who may not list nodes is told so.
func TestSurveyReadsAllPages(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.BuildConfigFromFlags("", k8stest.Launch(t, "--nodes", "1"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := open(cfg, Config{Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := clientFor(t, cfg)
	for i := range surveyPage + 20 {
		putPod(t, set, "default", fmt.Sprintf("p%d", i), "100m")
	}
	s, err := c.Survey(testContext(t), "p", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Units(oneByOne, all, nil); n != 64-(surveyPage+20)/10 {
		t.Errorf("%d units beside %d pods of 100m", n, surveyPage+20)
	}
	cfg.BearerToken, cfg.TLSClientConfig.CertData, cfg.TLSClientConfig.KeyData = "none", nil, nil
	cfg.TLSClientConfig.CertFile, cfg.TLSClientConfig.KeyFile = "", ""
	if c, err = open(cfg, Config{Now: time.Now}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Survey(testContext(t), "p", nil); !errors.Is(err, ErrForbidden) {
		t.Errorf("a stranger: %v", err)
	}
}

// makePod makes a pod that passes Pod Security and waits until it is on a node.
func makePod(t *testing.T, set *kubernetes.Clientset, namespace, name, cpu string, more ...corev1.ResourceList) {
	t.Helper()
	putPod(t, set, namespace, name, cpu, more...)
	for pause := time.NewTicker(20 * time.Millisecond); ; <-pause.C {
		p, err := set.CoreV1().Pods(namespace).Get(testContext(t), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Spec.NodeName != "" {
			pause.Stop()
			return
		}
	}
}

func putPod(t *testing.T, set *kubernetes.Clientset, namespace, name, cpu string, more ...corev1.ResourceList) {
	t.Helper()
	yes, no, user := true, false, int64(1000)
	list := corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse("64Mi")}
	for _, m := range more {
		add(list, m)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "main", Image: "pause", Resources: corev1.ResourceRequirements{Requests: list, Limits: list}, SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}}},
	}}
	if _, err := set.CoreV1().Pods(namespace).Create(testContext(t), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// A large cluster with many leases: what a match waits for when inputs bind.
func BenchmarkUnits(b *testing.B) {
	s := &Survey{Leases: map[string]Amounts{}}
	for i := range 1000 {
		n := roomOf(64, 256)
		n.Free.CPU -= int64(i%64) * 1000
		s.Nodes = append(s.Nodes, n)
	}
	var taken []Taken
	for i := range 128 {
		taken = append(taken, Taken{LeaseID: fmt.Sprint(i), Unit: oneByOne, Units: 64})
	}
	for b.Loop() {
		if s.Units(oneByOne, all, taken) == 0 {
			b.Fatal("nothing is over")
		}
	}
}
