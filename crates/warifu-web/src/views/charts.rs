//! Charts, drawn here as SVG and coloured by the stylesheet. Sizes are attributes, so that the
//! content security policy needs no exception for styles. A chart either hides from assistive
//! technology because the same figures stand beside it, or has a `<title>` that gives them.

use std::fmt::Write as _;

use askama::filters::Safe;

use crate::i18n::escape;

/// `part` of `whole` as 0 to 1; 0 of nothing is 0.
pub fn share(part: i64, whole: i64) -> f64 {
    if whole <= 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) }
}

/// A bar of `share` (0 to 1, clamped). `tone`: fill, soft, warn, bad, ink, ok; `size`: empty,
/// `thin` or `thick`; `tick` marks a limit at a share.
pub fn bar(share: f64, tone: &str, size: &str, tick: Option<f64>) -> Safe<String> {
    let mut svg = format!(
        "<svg class=\"bar-svg {}\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\" rx=\"1\"/>\
         <rect class=\"{}\" width=\"{}\" height=\"8\" rx=\"1\"/>",
        escape(size),
        escape(tone),
        percent(share)
    );
    if let Some(at) = tick {
        let at = percent(at);
        let _infallible = write!(svg, "<path class=\"tick\" d=\"M{at} -2V10\"/>");
    }
    svg.push_str("</svg>");
    Safe(svg)
}

/// Where `value` stands on a scale that grows by powers of ten up to `top`: 0 for 0 and below, 1
/// from `top`. Gauges use it, because a limit and an excess often differ a hundredfold.
pub fn log_share(value: i64, top: i64) -> f64 {
    if value <= 0 || top <= 0 {
        return 0.0;
    }
    ((value as f64 + 1.0).log10() / (top as f64 + 1.0).log10()).clamp(0.0, 1.0)
}

/// A thousand squares of which `marked` (0 to 1000) are drawn in the warning colour; at least one
/// as soon as the share is above zero, which the caller decides. `title` gives the figures.
pub fn waffle(id: &str, marked: u32, title: &str) -> Safe<String> {
    const COLUMNS: u32 = 50;
    const ROWS: u32 = 20;
    let marked = marked.min(COLUMNS * ROWS);
    let plain = COLUMNS * ROWS - marked;
    let (full, rest) = (plain / COLUMNS, plain % COLUMNS);
    let id = escape(id);
    let mut svg = format!(
        "<svg class=\"waffle\" viewBox=\"0 0 400 160\" role=\"img\" aria-labelledby=\"{id}-t\">\
         <title id=\"{id}-t\">{}</title><defs><pattern id=\"{id}\" width=\"8\" height=\"8\" \
         patternUnits=\"userSpaceOnUse\"><rect class=\"a\" width=\"6.5\" height=\"6.5\" rx=\"1\"/>\
         </pattern></defs>",
        escape(title)
    );
    let (bottom, step) = (full * 8, rest * 8);
    if plain > 0 {
        let _infallible = write!(svg, "<path d=\"M0 0H400V{bottom}");
        if rest > 0 {
            let _infallible = write!(svg, "H{step}V{}H0Z\" ", bottom + 8);
        } else {
            svg.push_str("H0Z\" ");
        }
        let _infallible = write!(svg, "fill=\"url(#{id})\"/>");
    }
    if marked > 0 {
        svg.push_str("<path class=\"z\" d=\"");
        for square in plain..COLUMNS * ROWS {
            let (x, y) = (square % COLUMNS * 8, square / COLUMNS * 8);
            let _infallible = write!(svg, "M{x} {y}h6.5v6.5h-6.5z");
        }
        svg.push_str("\"/>");
    }
    svg.push_str("</svg>");
    Safe(svg)
}

/// Columns over time; those with `true` are drawn in the warning colour. `title` gives the
/// figures.
pub fn columns(id: &str, values: &[(i64, bool)], title: &str) -> Safe<String> {
    let id = escape(id);
    let width = 400.0 / values.len().max(1) as f64;
    let top = values.iter().map(|(value, _)| *value).max().unwrap_or(0).max(1);
    let mut svg = format!(
        "<svg class=\"colchart\" viewBox=\"0 0 400 88\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-t\"><title id=\"{id}-t\">{}</title>",
        escape(title)
    );
    for (i, (value, hot)) in values.iter().enumerate() {
        let height = share(*value, top) * 86.0;
        let _infallible = write!(
            svg,
            "<rect class=\"c{}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
            if *hot { " hi" } else { "" },
            i as f64 * width + width * 0.1,
            87.0 - height,
            width * 0.8,
        );
    }
    svg.push_str("<path class=\"base\" d=\"M0 87.5H400\"/></svg>");
    Safe(svg)
}

fn percent(share: f64) -> f64 {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    (share * 1000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waffle_has_a_thousand_squares() {
        let svg = waffle("w", 4, "996 of 1,000").0;
        assert!(svg.contains("M0 0H400V152H368V160H0Z"), "{svg}");
        assert_eq!(svg.matches("h6.5v6.5").count(), 4);
        assert!(waffle("w", 0, "").0.contains("M0 0H400V160H0Z"));
        assert_eq!(waffle("w", 5000, "").0.matches("h6.5v6.5").count(), 1000);
    }

    #[test]
    fn bars_stay_inside_their_track() {
        assert!(
            bar(7.0, "fill", "", None).0.contains("width=\"100\" height=\"8\" rx=\"1\"/></svg>")
        );
        assert!(bar(f64::NAN, "fill", "", Some(0.5)).0.contains("M50 -2V10"));
        assert_eq!(share(1, 0), 0.0);
        assert_eq!(log_share(0, 100), 0.0);
        assert_eq!(log_share(100, 100), 1.0);
        assert!((log_share(9, 99) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_title_is_escaped() {
        assert!(columns("c", &[(3, true)], "<x>").0.contains("&lt;x&gt;"));
    }
}
