//! Decides from the header `Accept` whether a client is a browser that opens a page.

use actix_web::http::header::{ACCEPT, HeaderMap};

/// Returns whether the client names `text/html` and does not prefer JSON to it. A wildcard such as
/// `*/*` does not count: scripts send it, and the Python service answered them with JSON.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let quality_of = |name: &str| {
        let values = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| value.split(','));
        ranges.filter_map(|range| quality(range, name)).max()
    };
    let html = quality_of("text/html").or_else(|| quality_of("application/xhtml+xml"));
    html.is_some_and(|html| {
        html > 0 && quality_of("application/json").is_none_or(|json| html >= json)
    })
}

/// Returns the quality of a media range in thousandths, if the range is `name`. A quality that
/// cannot be read counts as 0 (RFC 9110 section 12.4.2 has the syntax).
fn quality(range: &str, name: &str) -> Option<u16> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(name) {
        return None;
    }
    let q = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Some(q.map_or(1000, thousandths))
}

fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("1", true) => 1000,
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn prefers(accept: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        prefers_html(&headers)
    }

    #[test]
    fn browsers_get_html() {
        assert!(prefers(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]));
        assert!(prefers(&["Text/HTML"]));
        assert!(prefers(&["application/json;q=0.5", "text/html ; q=0.9"]));
        assert!(prefers(&["application/json, text/html"]), "a page that accepts both is a browser");
    }

    #[test]
    fn programs_get_json() {
        for accept in [
            "*/*",
            "text/*",
            "application/json",
            "application/json, text/html;q=0.9",
            "text/html;q=0",
            "text/html;q=0.000",
            "text/html;q=nonsense",
            "text/htmlx",
            "",
        ] {
            assert!(!prefers(&[accept]), "{accept}");
        }
        assert!(!prefers(&[]));
    }
}
