package discovery

import (
	"context"
	"fmt"
	"time"
)

// points is how many stretches of time an experiment is divided into.
const points = 20

// Course is how often providers were found over time, at one level of churn.
type Course struct {
	Churn    float64 `json:"churn"` // share of the nodes replaced a minute
	FoundAny int     `json:"foundAny"`
	FoundAll int     `json:"foundAll"`
	Lookups  int     `json:"lookups"`
	Points   []Point `json:"points"`
}

// Point is one stretch of time: its end, the lookups that ended in it, and how
// many of these found any and all of the providers.
type Point struct {
	Seconds  float64 `json:"seconds"`
	Lookups  int     `json:"lookups"`
	FoundAny int     `json:"foundAny"`
	FoundAll int     `json:"foundAll"`
}

// Availability runs a measurement at each level of churn, one after the other,
// and divides it by time. Options.Over must be set.
func Availability(ctx context.Context, o Options, levels []float64) ([]Course, error) {
	if o.Over <= 0 {
		return nil, errOptions
	}
	var courses []Course
	for _, level := range levels {
		o.Churn = level
		o.say(fmt.Sprintf("%.0f%% of the nodes replaced a minute", 100*level))
		r, err := Run(ctx, o)
		if err != nil {
			return nil, err
		}
		courses = append(courses, courseOf(level, o.Over, r))
	}
	return courses, nil
}

func courseOf(churn float64, over time.Duration, r Report) Course {
	c := Course{Churn: churn, FoundAny: r.FoundAny, FoundAll: r.FoundAll, Lookups: r.Lookups}
	for i := range points {
		c.Points = append(c.Points, Point{Seconds: over.Seconds() * float64(i+1) / points})
	}
	for _, s := range r.Samples {
		p := &c.Points[min(int(points*s.At/over), points-1)] // the last lookups may end later
		p.Lookups++
		if s.any() {
			p.FoundAny++
		}
		if s.all() {
			p.FoundAll++
		}
	}
	return c
}
