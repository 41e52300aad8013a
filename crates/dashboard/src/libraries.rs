//! Connects the modules of the page with the libraries in `assets/vendor/`.
//!
//! The libraries are files as their authors publish them, and import each other by package name
//! (`from "preact"`). A browser needs an address instead. An import map would be an inline script,
//! which the page's policy forbids, so the names are replaced when the files are loaded.

/// Names of packages, with their files in `assets/`.
const LIBRARIES: [(&str, &str); 5] = [
    ("preact", "vendor/preact.mjs"),
    ("preact/hooks", "vendor/preact-hooks.mjs"),
    ("htm", "vendor/htm.mjs"),
    ("@preact/signals-core", "vendor/signals-core.mjs"),
    ("@preact/signals", "vendor/signals.mjs"),
];

/// Replaces the package names in the imports of the module at `path` by relative addresses.
pub(crate) fn resolve_imports(path: &str, module: &str) -> String {
    let up = "../".repeat(path.matches('/').count());
    let prefix = if up.is_empty() { "./" } else { &up };
    LIBRARIES.iter().fold(module.to_owned(), |module, (name, file)| {
        ["from", "from ", "import", "import "].iter().fold(module, |module, keyword| {
            module.replace(&format!("{keyword}\"{name}\""), &format!("{keyword}\"{prefix}{file}\""))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_libraries_become_relative_addresses() {
        assert_eq!(
            resolve_imports(
                "vendor/signals.mjs",
                r#"import{a as b}from"preact/hooks";import"preact";"#
            ),
            r#"import{a as b}from"../vendor/preact-hooks.mjs";import"../vendor/preact.mjs";"#
        );
        assert_eq!(
            resolve_imports(
                "main.js",
                "import { h } from \"preact\";\nimport { a } from \"./alerts.js\";\n"
            ),
            "import { h } from \"./vendor/preact.mjs\";\nimport { a } from \"./alerts.js\";\n"
        );
        assert_eq!(resolve_imports("main.js", "say(\"preact\")"), "say(\"preact\")");
    }
}
