//! PNG from the very SVG, drawn with the one embedded font: the same picture on every machine.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

static FONT: &[u8] = include_bytes!("../../assets/font/inter-subset.otf");

/// Pixels a unit, so that the picture stays sharp on a dense screen.
const SCALE: f32 = 2.0;

/// Renders `svg` as PNG, two pixels a unit, in its light colours.
///
/// # Errors
/// If `svg` is no SVG.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let options = Options { fontdb: font(), font_family: "Inter".into(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).context("the figure is no valid SVG")?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the figure has no size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("the figure has no size")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("the picture cannot be written as PNG")
}

fn font() -> Arc<Database> {
    static DATABASE: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut database = Database::new();
        database.load_font_data(FONT.to_vec());
        Arc::new(database)
    };
    Arc::clone(DATABASE.get_or_init(load))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_with_the_embedded_font() {
        let of = |text: &str| {
            let svg = format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15" font-family="Inter, Arial">{text}</text></svg>"#
            );
            png(&svg).unwrap()
        };
        let (blank, absent) = (of(""), of("漢"));
        for letter in "Δκξ₀ληερ‖½²⁻√≤≥×−→".chars() {
            let drawn = of(&letter.to_string());
            assert!(drawn != blank && drawn != absent, "{letter} is not in the font");
        }
        assert_eq!(&blank[1..4], b"PNG");
    }
}
