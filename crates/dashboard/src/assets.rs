//! The files of the page, embedded in the binary and prepared once for all answers.

use crate::answers::{File, hex};
use crate::libraries::resolve_imports;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::Embed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Embed)]
#[folder = "assets/"]
struct Folder;

/// All files that the page loads.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

/// The one style sheet of the page, made of every file of `assets/` that ends with `.css`.
const STYLES: &str = "board.css";

/// The service worker, which is not a module of the page.
const OFFLINE: &str = "offline.js";
/// The script that runs before the first paint, which is not a module either.
const THEME: &str = "theme.js";

/// Returns the paths of all files in the order in which their rules apply: the libraries first, and
/// dark colours after light ones, because they have the same specificity.
fn in_order() -> Vec<String> {
    let mut paths: Vec<String> = Folder::iter().map(Cow::into_owned).collect();
    paths.sort_by_key(|path| (!path.starts_with("vendor/"), path.contains("-dark"), path.clone()));
    paths
}

pub(crate) struct Assets {
    files: BTreeMap<String, File>,
    /// Part of every address. Changes if any file changes, so that browsers may cache the files
    /// forever, and relative imports between modules still work.
    fingerprint: String,
}

impl Assets {
    fn load() -> Self {
        let mut files = BTreeMap::new();
        let mut styles = Vec::new();
        for path in in_order() {
            let Some(embedded) = Folder::get(&path) else { continue };
            let bytes = embedded.data.into_owned();
            let path = path.as_str();
            match extension(path) {
                "js" | "mjs" => {
                    let module = String::from_utf8_lossy(&bytes);
                    let module = resolve_imports(path, &module).into_bytes();
                    files.insert(
                        path.to_owned(),
                        File::new("text/javascript; charset=utf-8", module),
                    );
                }
                "css" => {
                    styles.extend_from_slice(&bytes);
                    styles.push(b'\n');
                }
                // Icons become a part of the page.
                "svg" if path != "icon.svg" => {}
                "svg" => drop(files.insert(path.to_owned(), File::new("image/svg+xml", bytes))),
                _ => {}
            }
        }
        files.insert(STYLES.to_owned(), File::new("text/css; charset=utf-8", styles));
        let all = files.iter().fold(Sha256::new(), |all, (path, file)| {
            all.chain_update(path).chain_update("\0").chain_update(file.digest()).chain_update("\n")
        });
        let fingerprint = hex(&all.finalize()).get(..16).unwrap_or_default().to_owned();
        Self { files, fingerprint }
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the paths of all JavaScript modules of the page.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        let is_module = |path: &&str| {
            matches!(extension(path), "js" | "mjs") && ![OFFLINE, THEME].contains(path)
        };
        self.files.keys().map(String::as_str).filter(is_module)
    }

    /// Answers with the file at `path`. A page of another version has another fingerprint: during
    /// an update of several servers its modules can come from this one, and must not be cached.
    pub(crate) fn answer(
        &self,
        request: &HttpRequest,
        fingerprint: &str,
        path: &str,
    ) -> HttpResponse {
        let Some(file) = self.files.get(path) else { return HttpResponse::NotFound().finish() };
        let caching = if fingerprint == self.fingerprint {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        file.answer(request, |answer| {
            answer.insert_header((header::CACHE_CONTROL, caching));
            answer.insert_header((header::VARY, "Accept-Encoding"));
            if path == OFFLINE {
                // The worker serves the page, two folders above its own address, and has a policy
                // of its own.
                answer.insert_header(("Service-Worker-Allowed", "../../"));
                answer.insert_header((
                    header::CONTENT_SECURITY_POLICY,
                    "default-src 'none'; connect-src 'self'",
                ));
            }
        })
    }
}

/// Returns the part of a path after the last dot.
fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Returns the text of a file that is not served by itself.
pub(crate) fn text(path: &str) -> String {
    Folder::get(path)
        .map_or_else(String::new, |file| String::from_utf8_lossy(&file.data).into_owned())
}

/// Returns the names and the texts of the icons.
pub(crate) fn icons() -> impl Iterator<Item = (String, String)> {
    Folder::iter().filter_map(|path| {
        let name = path.strip_prefix("vendor/icons/")?.strip_suffix(".svg")?.to_owned();
        Some((name, text(&path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_of_the_page_have_at_most_150_kb_on_the_wire() {
        let bytes: usize = ASSETS.files.values().map(File::compressed_bytes).sum();
        assert!(bytes > 20_000, "the page has files");
        assert!(bytes <= 150_000, "{bytes} bytes");
    }

    #[test]
    fn no_module_imports_by_the_name_of_a_package() {
        for (path, file) in
            ASSETS.files.iter().filter(|(path, _)| matches!(extension(path), "js" | "mjs"))
        {
            for import in
                file.text().match_indices("from\"").chain(file.text().match_indices("from \""))
            {
                let rest = &file.text()[import.0 + import.1.len()..];
                assert!(rest.starts_with('.'), "{path}: {}", rest.lines().next().unwrap());
            }
        }
    }
}
