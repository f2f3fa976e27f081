//! A picture: title, description and charts, one below the other.

use std::fmt::Write as _;

use super::chart::{Chart, DARK_PAGE_STYLE, PAGE_STYLE};
use super::number::short;
use super::plot::Plot;
use super::text::escape;

const WIDTH: f64 = 720.0;
const FONT: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

/// Styles for a file of its own: light, and dark where the reader's system is.
pub(super) fn embedded_style() -> String {
    format!(
        "<style>\n{PAGE_STYLE}@media (prefers-color-scheme:dark){{\n{DARK_PAGE_STYLE}}}\n</style>\n"
    )
}

pub(super) fn picture(charts: &[Chart], style: &str) -> String {
    let mut plots: Vec<_> = charts.iter().map(Plot::new).collect();
    let left = plots.iter().map(Plot::left_margin).fold(0.0, f64::max);
    let right = WIDTH - plots.iter().map(Plot::right_margin).fold(0.0, f64::max);
    let mut body = String::new();
    let mut top = 0.0;
    for (index, plot) in plots.iter_mut().enumerate() {
        top = heading(plot.chart, index == 0, top, &mut body);
        top = plot.place(left, right.max(left + 120.0), top);
        plot.draw(&mut body);
    }
    let title = charts.first().map(|c| escape(&c.title)).unwrap_or_default();
    let words = escape(&describe(&plots));
    let height = top.ceil();
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="gf" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" role="img" aria-label="{title}">
<title>{title}</title><desc>{words}</desc>
{style}<rect class="bg" width="{WIDTH}" height="{height}"/>
{body}</svg>
"#
    )
}

/// Title and subtitle; returns where the plot may start.
fn heading(chart: &Chart, first: bool, top: f64, out: &mut String) -> f64 {
    let size = if first { 17.0 } else { 14.0 };
    let mut y = top + if first { 12.0 } else { 8.0 };
    if !chart.title.is_empty() {
        y += size;
        let title = escape(&chart.title);
        let _ = writeln!(out, r#"<text x="14" y="{y:.0}" font-size="{size}">{title}</text>"#);
    }
    if !chart.subtitle.is_empty() {
        y += 18.0;
        let subtitle = escape(&chart.subtitle);
        let _ = writeln!(
            out,
            r#"<text class="soft" x="14" y="{y:.0}" font-size="12">{subtitle}</text>"#
        );
    }
    y + 16.0
}

/// What the picture shows, in words.
fn describe(plots: &[Plot<'_>]) -> String {
    let mut words = String::new();
    for plot in plots {
        let chart = plot.chart;
        let _ = write!(words, "{} against {}, {}.", chart.y.label, chart.x.label, plot.scales());
        for series in chart.series.iter().filter(|s| !s.label.is_empty()) {
            let mut finite = series.points.iter().map(|p| p.1).filter(|y| y.is_finite());
            let first = finite.next();
            let _ = write!(words, " {}", series.label);
            if let Some(first) = first {
                let last = finite.next_back().unwrap_or(first);
                let _ = write!(words, " from {} to {}", short(first), short(last));
            }
            if !series.lost.is_empty() {
                let places: Vec<_> = series.lost.iter().map(|&x| short(x)).collect();
                let _ = write!(words, " diverged at {} {}", chart.x.label, places.join(", "));
            }
            words.push(';');
        }
        words.pop();
        words.push_str(". ");
    }
    words.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::super::axis::Axis;
    use super::super::chart::Series;
    use super::*;

    fn chart() -> Chart {
        let points = (1..=50).map(|n| (f64::from(n), 1.0 / f64::from(n))).collect();
        Chart::new("A <b>&\"bold\"", Axis::log("step"), Axis::log("loss"))
            .add(Series::line("x < y", points).lost(vec![7.0]))
    }

    #[test]
    fn labels_are_escaped_and_described() {
        let svg = chart().svg();
        assert!(svg.contains("<title>A &lt;b&gt;&amp;&quot;bold&quot;</title>"), "{svg}");
        assert!(svg.contains("x &lt; y from 1.00 to 0.0200 diverged at step 7.00"), "{svg}");
        assert!(!svg.contains("<b>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn lost_points_have_a_lane_with_a_cross() {
        let svg = chart().svg();
        assert!(svg.contains(">diverged</text>") && svg.contains("m-3.5-3.5l7 7"), "{svg}");
        let whole = Chart::new("t", Axis::linear("x"), Axis::linear("y"));
        assert!(!whole.svg().contains("diverged"));
    }

    #[test]
    fn what_is_not_finite_interrupts_the_line() {
        let points =
            vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (f64::INFINITY, 1.0), (3.0, 2.0)];
        let svg = Chart::new("t", Axis::linear("x"), Axis::linear("y"))
            .add(Series::line("a", points))
            .svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
