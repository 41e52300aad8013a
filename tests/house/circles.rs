//! Import cycles: the files of a crate may not use each other in a cycle.

use crate::assert_none;
use crate::source::{crates, lines_before_tests, rust_files, text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The path of a module from the root of its crate, one name per segment.
type Module = Vec<String>;

/// The modules of one crate, and the names that they re-export.
#[derive(Default)]
struct Crate {
    texts: BTreeMap<Module, String>,
    /// Maps a module and a name to the path that a `pub use` exports under this name.
    exports: BTreeMap<(Module, String), Vec<String>>,
}

impl Crate {
    /// Reads all files below the `src` folder of a crate, without their tests.
    fn read(folder: &Path) -> Self {
        let mut read = Self::default();
        for file in rust_files(folder) {
            let path = file.strip_prefix(folder).unwrap().with_extension("");
            let mut module: Module =
                path.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            if module == ["lib"] || module == ["main"] {
                module.clear();
            } else if module.last().is_some_and(|name| name == "tests") {
                continue;
            }
            let text = text(&file);
            let code: Vec<_> = text.lines().take(lines_before_tests(&text)).collect();
            // `lib.rs` and `main.rs` of one package count as one module.
            let all = read.texts.entry(module).or_default();
            all.push_str(&code.join("\n"));
            all.push('\n');
        }
        for (module, text) in &read.texts {
            for path in uses(text).into_iter().filter(|path| path.is_public) {
                if let Some(name) = path.segments.last() {
                    read.exports.insert((module.clone(), name.clone()), path.segments.clone());
                }
            }
        }
        read
    }

    /// The module that `path` names in the code of `module`. `None` if the named module is in
    /// another crate.
    fn target(&self, module: &[String], path: &[String]) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            child => [module, &[child.to_owned()]].concat(),
        };
        if !self.texts.contains_key(&at) {
            return None;
        }
        while let Some((next, behind)) = rest.split_first() {
            let child = [&at[..], std::slice::from_ref(next)].concat();
            if next == "super" {
                at.pop()?;
            } else if self.texts.contains_key(&child) {
                at = child;
            } else if let Some(export) = self.exports.get(&(at.clone(), next.clone())) {
                return self.target(&at, export).or(Some(at));
            } else {
                return Some(at);
            }
            rest = behind;
        }
        Some(at)
    }

    /// The modules that each module uses. The root module is omitted, because it only declares the
    /// other modules.
    fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let files = self.texts.iter().filter(|(module, _)| !module.is_empty());
        let used = files.map(|(module, text)| {
            let paths = uses(text).into_iter().filter(|path| !path.is_public);
            let targets = paths.filter_map(|path| self.target(module, &path.segments));
            let others = targets.filter(|target| target != module && !target.is_empty());
            (module, others.collect())
        });
        used.collect()
    }
}

/// A path in a `use` line or in the code.
struct Used {
    segments: Vec<String>,
    is_public: bool,
}

/// The paths of all `use` lines, and all paths in the code that begin with `crate::` or `super::`.
fn uses(text: &str) -> Vec<Used> {
    let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut paths = Vec::new();
    for statement in code.split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ") else { continue };
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
        if line.is_empty() || line.starts_with("pub") {
            let is_public = line.starts_with("pub");
            let expanded = expand(&tree.split_whitespace().collect::<Vec<_>>().join(" "));
            paths.extend(expanded.into_iter().map(|segments| Used { segments, is_public }));
        }
    }
    for root in ["crate::", "super::"] {
        for behind in code.split(root).skip(1) {
            let end = behind.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = format!("{root}{}", &behind[..end.unwrap_or(behind.len())]);
            let segments = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned);
            paths.push(Used { segments: segments.collect(), is_public: false });
        }
    }
    paths
}

/// Expands `a::{b, c::d}` to the paths `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Vec<String>> {
    let Some((prefix, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.split("::").map(|name| name.trim().to_owned()).collect()];
    };
    let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
    let mut paths = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = &inner[start..at];
                if !item.trim().is_empty() {
                    paths.extend(expand(&format!("{prefix}{}", item.trim())));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// One line for each module in a cycle: the module, and those of its used modules that use the
/// module again, directly or through others.
fn circles(arrows: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<String> {
    let reachable = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = next.pop() {
            for target in arrows.get(&module).into_iter().flatten() {
                if seen.insert(target.clone()) {
                    next.push(target.clone());
                }
            }
        }
        seen
    };
    let reach: BTreeMap<_, _> = arrows.keys().map(|module| (*module, reachable(module))).collect();
    let lines = arrows.iter().filter_map(|(module, targets)| {
        let back = targets.iter().filter(|to| reach.get(to).is_some_and(|r| r.contains(*module)));
        let back: Vec<_> = back.map(|to| to.join("::")).collect();
        (!back.is_empty()).then(|| format!("{} -> {}", module.join("::"), back.join(", ")))
    });
    lines.collect()
}

#[test]
fn the_files_of_a_crate_have_no_import_cycle() {
    let mut findings = Vec::new();
    for folder in crates() {
        let found = circles(&Crate::read(&folder.join("src")).arrows());
        findings.extend(found.into_iter().map(|line| format!("{}: {line}", folder.display())));
    }
    assert_none(&findings);
}

#[test]
fn an_import_cycle_is_found_through_re_exports_and_nested_paths() {
    let mut house = Crate::default();
    let mut add = |module: &str, text: &str| {
        let module = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned);
        house.texts.insert(module.collect(), text.to_owned());
    };
    add("", "mod a;\nmod b;\nmod c;\nmod d;\npub use b::B;");
    add("a", "use crate::B;\nuse std::fmt;");
    add("b", "use crate::{\n    c::{C, Other as X},\n    d,\n};");
    add("b::inner", "// use crate::a::A;");
    add("c", "fn c() { crate::d::d(); }");
    add("d", "");
    let reexport = vec!["b".to_owned(), "B".to_owned()];
    house.exports.insert((Vec::new(), "B".to_owned()), reexport);
    assert_eq!(circles(&house.arrows()), Vec::<String>::new());
    house.texts.insert(vec!["d".to_owned()], "use super::a;".to_owned());
    assert_eq!(circles(&house.arrows()), ["a -> b", "b -> c, d", "c -> d", "d -> a"]);
}
