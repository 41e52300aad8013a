//! The HTML page, with the name of the board and the addresses of its files.

use crate::answers::File;
use crate::assets::{ASSETS, icons, text};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use std::fmt::Write;
use std::sync::Arc;

/// Scripts, styles and connections only from this server. There are no inline scripts and no inline
/// styles.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The page of one server.
#[derive(Debug, Clone)]
pub struct Board(Arc<File>);

impl Board {
    /// Creates the page. `name` is shown in its header and title, for example the name of a plant.
    /// All addresses in the page are relative, so it works under any path of a proxy.
    pub fn new(name: Option<&str>) -> Self {
        let assets = format!("assets/{}", ASSETS.fingerprint());
        let preloads = ASSETS.modules().fold(String::new(), |mut links, path| {
            // Writing into memory cannot fail.
            let _ = writeln!(links, "<link rel=\"modulepreload\" href=\"{assets}/{path}\">");
            links
        });
        let symbols = icons().fold(String::new(), |all, (name, icon)| all + &symbol(&name, &icon));
        let title = name.map_or("Northgate".to_owned(), |name| format!("{name} · Northgate"));
        let page = fill(&text("index.html"), |placeholder| match placeholder {
            "preloads" => Some(preloads.clone()),
            "assets" => Some(assets.clone()),
            "icons" => Some(symbols.clone()),
            "heading" => Some(escaped(name.unwrap_or("Northgate"))),
            "board" => Some(escaped(name.unwrap_or_default())),
            "title" => Some(escaped(&title)),
            _ => None,
        });
        Self(Arc::new(File::new("text/html; charset=utf-8", page.into_bytes())))
    }

    pub(crate) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        self.0.answer(request, |answer| {
            answer.insert_header((header::CACHE_CONTROL, "no-cache"));
            answer.insert_header((header::VARY, "Accept, Accept-Encoding"));
            answer.insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY));
        })
    }
}

/// Replaces each `{placeholder}` in one pass, so that a value is never searched for placeholders.
fn fill(template: &str, value_of: impl Fn(&str) -> Option<String>) -> String {
    let mut pieces = template.split('{');
    let start = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(start, |page, piece| {
        let value = piece.split_once('}').and_then(|(name, rest)| Some((value_of(name)?, rest)));
        match value {
            Some((value, rest)) => page + &value + rest,
            None => page + "{" + piece,
        }
    })
}

/// Returns an icon as a symbol that the page can show many times.
fn symbol(name: &str, icon: &str) -> String {
    let drawing = icon.split_once("<svg").and_then(|(_, rest)| rest.split_once('>'));
    let drawing =
        drawing.and_then(|(_, rest)| rest.rsplit_once("</svg>")).map_or("", |(inner, _)| inner);
    format!("<symbol id=\"icon-{name}\" viewBox=\"0 0 24 24\">{}</symbol>\n", drawing.trim())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_board_is_text_in_the_page() {
        let board = Board::new(Some("<b>\"Plant\" & {assets}"));
        assert!(
            board.0.text().contains("&lt;b&gt;&quot;Plant&quot; &amp; {assets}"),
            "{}",
            board.0.text()
        );
        assert!(!board.0.text().contains("<b>"));
    }

    #[test]
    fn the_page_has_no_placeholder_left() {
        let text = Board::new(None).0.text().to_owned();
        assert!(!text.contains('{'), "{text}");
        assert!(text.contains("<title>Northgate</title>"));
        assert!(text.contains("<symbol id=\"icon-octagon\""));
    }
}
