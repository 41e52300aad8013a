//! Generates the tables of docs/CONFIGURATION.md from the flags, and compares the page with them.
//! With `NORTHGATE_WRITE_DOCS` set, the comparison writes the page instead.

use super::arguments::Arguments;
use super::{Loaded, Settings};
use clap::CommandFactory;
use std::fmt::Write;
use std::path::PathBuf;

const BEGIN: &str = "<!-- Generated from the flags. -->\n";
const HOW: &str = "run NORTHGATE_WRITE_DOCS=1 cargo test -p northgate-server configuration::page";
const END: &str = "<!-- End of the generated part. -->\n";

/// The table row of a flag: its help text, and the parts of that text in brackets.
struct Row {
    flag: String,
    variable: String,
    /// The form of the variable's value, if it differs from that of the flag.
    form: String,
    default: String,
    meaning: String,
}

impl Row {
    fn of(argument: &clap::Arg) -> Option<Self> {
        let help = argument.get_long_help().or(argument.get_help())?.to_string();
        let (meaning, brackets) = help.split_once(" [").unwrap_or((&help, ""));
        let bracket = |name: &str| {
            let start = brackets.find(name)? + name.len();
            brackets[start..].split(']').next().map(|text| text.trim().to_owned())
        };
        let variable = bracket("env: ")?;
        let (variable, form) = variable.split_once(',').unwrap_or((&variable, ""));
        Some(Self {
            flag: format!("--{}", argument.get_long()?),
            variable: variable.to_owned(),
            form: form.to_owned(),
            default: bracket("default: ").unwrap_or_default(),
            meaning: meaning.replace('|', "\\|"),
        })
    }

    /// The group and the key of the setting in northgate.toml.
    fn key(&self) -> (String, String) {
        let lower = self.variable.to_lowercase();
        let mut parts = lower.trim_start_matches("northgate__").split("__").map(str::to_owned);
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }
}

fn flags() -> Vec<Row> {
    let command = Arguments::command();
    command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(Row::of).collect()
}

fn tables() -> String {
    let mut page = String::new();
    let mut group = String::new();
    for flag in flags() {
        let (its_group, key) = flag.key();
        if its_group != group {
            let title = its_group[..1].to_uppercase() + &its_group[1..];
            _ = write!(page, "\n### {title}\n\nGroup `[{its_group}]` of `northgate.toml`.\n\n");
            page.push_str(
                "| flag | environment | key | default | meaning |\n|---|---|---|---|---|\n",
            );
            group = its_group;
        }
        let Row { flag, variable, form, default, meaning } = flag;
        _ = writeln!(page, "| `{flag}` | `{variable}`{form} | `{key}` | {default} | {meaning} |");
    }
    page.push('\n');
    page
}

#[test]
fn the_page_of_settings_is_generated_from_the_flags() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/CONFIGURATION.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the last mark");
    let generated = format!("{before}{BEGIN}{}{END}{after}", tables());
    if std::env::var_os("NORTHGATE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &generated).unwrap();
        return;
    }
    assert!(page == generated, "docs/CONFIGURATION.md differs from the flags: {HOW}");
}

#[test]
fn every_visible_flag_documents_a_variable() {
    let command = Arguments::command();
    let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let builtin = ["help", "version"];
    let named = visible.filter(|argument| !builtin.contains(&argument.get_id().as_str()));
    for argument in named {
        assert!(Row::of(argument).is_some(), "{} names no variable", argument.get_id());
    }
}

/// Sets each documented default explicitly, and checks that the settings stay the same.
#[test]
fn documented_defaults_are_the_defaults() {
    let load = |arguments: &[String]| {
        let arguments = std::iter::once("northgate".to_owned()).chain(arguments.iter().cloned());
        let loaded = Settings::load(arguments.map(Into::into), [], &PathBuf::from("/nonexistent"));
        match loaded.unwrap() {
            Loaded::Settings(settings) => format!("{settings:?}"),
            other => panic!("{other:?}"),
        }
    };
    let unset = load(&[]);
    // These defaults depend on the machine or on other settings.
    let depends = ["--workers", "--generator-interval"];
    let mut compared = 0;
    for flag in flags() {
        if flag.default == "none" || depends.contains(&flag.flag.as_str()) {
            continue;
        }
        assert_eq!(load(&[flag.flag, flag.default]), unset);
        compared += 1;
    }
    assert!(compared >= 20, "only {compared} defaults were compared");
}
