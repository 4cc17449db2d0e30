package discovery

import (
	"fmt"
	"strings"
)

// The drawing, in pixels.
const (
	svgWidth, svgHeight      = 760, 380
	svgLeft, svgRight        = 60, 20
	svgTop, svgBottom        = 60, 50
	plotWidth, plotHeight    = svgWidth - svgLeft - svgRight, svgHeight - svgTop - svgBottom
	gridLines                = 5
	legendStep, legendSample = 170, 24
)

// colours can be told apart by everybody, in print too: lines of "any" are
// solid, of "all" dashed.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// SVG draws courses: the share of lookups that found any provider and all of
// them, over time, a colour for each level of churn.
func SVG(courses []Course) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img">`+"\n", svgWidth, svgHeight)
	fmt.Fprintf(&b, "<title>Lookups that found any and all providers over time, by churn</title>\n")
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", svgWidth, svgHeight)
	end := 0.0
	for _, c := range courses {
		for _, p := range c.Points {
			end = max(end, p.Seconds)
		}
	}
	axes(&b, end)
	for i, c := range courses {
		colour := colours[i%len(colours)]
		line(&b, c, end, colour, "", func(p Point) int { return p.FoundAny })
		line(&b, c, end, colour, ` stroke-dasharray="5 4"`, func(p Point) int { return p.FoundAll })
		legend(&b, 2*i, colour, "", fmt.Sprintf("any, %.0f%% a minute", 100*c.Churn))
		legend(&b, 2*i+1, colour, ` stroke-dasharray="5 4"`, fmt.Sprintf("all, %.0f%% a minute", 100*c.Churn))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func axes(b *strings.Builder, end float64) {
	for i := range gridLines + 1 {
		y := svgTop + plotHeight*i/gridLines
		fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#dddddd"/>`+"\n", svgLeft, y, svgLeft+plotWidth, y)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%d%%</text>`+"\n", svgLeft-6, y+4, 100-100*i/gridLines)
		x := svgLeft + plotWidth*i/gridLines
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%.0f s</text>`+"\n", x, svgTop+plotHeight+18, end*float64(i)/gridLines)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">time since the churn began</text>`+"\n", svgLeft+plotWidth/2, svgHeight-12)
}

func line(b *strings.Builder, c Course, end float64, colour, dashes string, of func(Point) int) {
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2"%s points="`, colour, dashes)
	for _, p := range c.Points {
		if p.Lookups == 0 {
			continue
		}
		x := svgLeft + plotWidth*p.Seconds/end
		y := svgTop + plotHeight*(1-float64(of(p))/float64(p.Lookups))
		fmt.Fprintf(b, "%.1f,%.1f ", x, y)
	}
	b.WriteString(`"/>` + "\n")
}

func legend(b *strings.Builder, i int, colour, dashes, text string) {
	x, y := svgLeft+legendStep*i, 28
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s/>`+"\n", x, y, x+legendSample, y, colour, dashes)
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", x+legendSample+6, y+4, text)
}
