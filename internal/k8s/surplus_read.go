package k8s

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// surveyPage is how many objects are asked for at once: what is held in memory at a time, whatever the cluster's size.
	surveyPage = 100
	// maxSurvey is how many nodes a survey may have: more than Kubernetes supports.
	maxSurvey = 16384
)

// Survey reads what the nodes have over. It goes through nodes and pods page by page and keeps sums only. Nodes count that
// take a tenant's pods: ready, not cordoned, not on their way out, and without a taint that keeps pods off. provider says
// whose leases are ours: pods in their namespaces are told apart from others. gpus are the models that can be leased.
//
// Errors: ErrForbidden (it needs what the cluster role of manifest.SurplusClusterRole holds), those of an API server that
// does not answer, ctx's.
func (c *Cluster) Survey(ctx context.Context, provider string, gpus GPUMap) (*Survey, error) {
	r := surveyor{survey: &Survey{Leases: map[string]Amounts{}}, nodes: map[string]int{}, leases: map[string]string{}, gpus: gpus, cards: map[corev1.ResourceName]bool{}}
	for _, gpu := range gpus {
		r.cards[gpu.Resource] = true
	}
	r.survey.At = c.now() // what is read later is newer
	owned, err := c.Owned(ctx, provider)
	if err != nil {
		return nil, fmt.Errorf("look at the cluster's surplus: %w", err)
	}
	for _, o := range owned {
		r.leases[o.Namespace] = o.LeaseID
	}
	err = c.pages(ctx, func(ctx context.Context, opts metav1.ListOptions) (string, error) {
		list, failed := c.set.CoreV1().Nodes().List(ctx, opts)
		if failed != nil {
			return "", failed
		}
		for i := range list.Items {
			r.node(&list.Items[i])
		}
		return list.Continue, nil
	})
	if err == nil {
		err = c.pages(ctx, func(ctx context.Context, opts metav1.ListOptions) (string, error) {
			opts.FieldSelector = "status.phase!=Succeeded,status.phase!=Failed"
			list, failed := c.set.CoreV1().Pods("").List(ctx, opts)
			if failed != nil {
				return "", failed
			}
			for i := range list.Items {
				r.pod(&list.Items[i])
			}
			return list.Continue, nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look at the cluster's surplus: %w", refused(err))
	}
	return r.survey, nil
}

// pages calls next for each page. A list that takes longer than the API server remembers where it was fails, and so does the
// survey: the next one begins anew.
func (c *Cluster) pages(ctx context.Context, next func(context.Context, metav1.ListOptions) (string, error)) error {
	opts := metav1.ListOptions{Limit: surveyPage}
	for {
		var more string
		failed := error(nil)
		err := retry(ctx, func(ctx context.Context) error {
			// Only a request that has failed is made again: next has not counted anything of it then.
			more, failed = next(ctx, opts)
			return failed
		})
		if err != nil {
			if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
				err = fmt.Errorf("the list has expired while it was read: %w", err)
			}
			return err
		}
		if more == "" {
			return nil
		}
		opts.Continue = more
	}
}

type surveyor struct {
	survey *Survey
	nodes  map[string]int    // index in the survey, by name
	leases map[string]string // by namespace
	gpus   GPUMap
	cards  map[corev1.ResourceName]bool // resources of the map
	byName []map[string]string          // of each node: model, by resource name
}

func (r *surveyor) node(n *corev1.Node) {
	if !takesPods(n) || len(r.survey.Nodes) >= maxSurvey {
		return
	}
	room := NodeRoom{Arch: n.Labels[corev1.LabelArchStable], Has: Amounts{
		CPU: n.Status.Allocatable.Cpu().MilliValue(), Memory: n.Status.Allocatable.Memory().Value(), Pods: n.Status.Allocatable.Pods().Value(),
	}}
	room.Free = room.Has
	models := map[string]string{}
	for _, model := range sortedModels(r.gpus) {
		gpu := r.gpus[model]
		amount, some := n.Status.Allocatable[gpu.Resource]
		if _, known := models[string(gpu.Resource)]; known || !some || !labelled(n, gpu.Nodes) {
			continue // the nodes of a model have no other of the same resource
		}
		models[string(gpu.Resource)] = model
		room.Models = append(room.Models, model)
		if room.Has.GPUs == nil {
			room.Has.GPUs, room.Free.GPUs = map[string]int64{}, map[string]int64{}
		}
		room.Has.GPUs[model], room.Free.GPUs[model] = amount.Value(), amount.Value()
	}
	r.nodes[n.Name] = len(r.survey.Nodes)
	r.survey.Nodes, r.byName = append(r.survey.Nodes, room), append(r.byName, models)
}

func sortedModels(gpus GPUMap) []string {
	models := make([]string, 0, len(gpus))
	for model := range gpus {
		models = append(models, model)
	}
	slices.Sort(models)
	return models
}

func labelled(n *corev1.Node, want map[string]string) bool {
	for label, value := range want {
		if n.Labels[label] != value {
			return false
		}
	}
	return true
}

// takesPods says whether a tenant's pods can be put on a node.
func takesPods(n *corev1.Node) bool {
	if n.Spec.Unschedulable || n.DeletionTimestamp != nil {
		return false
	}
	for _, taint := range n.Spec.Taints {
		if taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute {
			return false
		}
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (r *surveyor) pod(p *corev1.Pod) {
	asked := amounts(asks(p), r.cards)
	lease, leased := r.leases[p.Namespace]
	at, known := r.nodes[p.Spec.NodeName]
	cards := asked
	switch {
	case known:
		free := &r.survey.Nodes[at].Free
		free.CPU, free.Memory, free.Pods = free.CPU-asked.CPU, free.Memory-asked.Memory, free.Pods-1
		cards.GPUs = nil
		for resource, n := range asked.GPUs {
			if model, has := r.byName[at][resource]; has {
				free.GPUs[model] -= n
				cards = cards.plus(Amounts{GPUs: map[string]int64{model: n}})
			}
		}
	case p.Spec.NodeName != "":
		return // on a node that takes no pods: nothing of what counts
	case !leased:
		r.survey.Waiting = r.survey.Waiting.plus(asked)
		return
	default:
		return // promised, and used on no node yet
	}
	if leased {
		r.survey.Leases[lease] = r.survey.Leases[lease].plus(cards)
	}
}
