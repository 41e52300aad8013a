//! What the conditions of streams and of histories have in common.

use northgate_domain::{Label, LabelName, LabelValue, Severity};
use std::borrow::Cow;

/// The most values that a condition may name of one kind: each item is compared with each of them.
pub(crate) const VALUES_MAX: usize = 64;

/// What a severity must be.
pub(crate) const SEVERITY_NAMES: &str = "must be critical, error, warning or info";

/// Which parameter is wrong, and why.
pub(crate) type FieldError = (Cow<'static, str>, Cow<'static, str>);

/// Turns an error of the parameter `name` into a finding.
pub(crate) fn because<E: ToString>(name: &'static str) -> impl FnOnce(E) -> FieldError {
    move |error| (name.into(), error.to_string().into())
}

/// Adds values of the parameter `name` to those that will do, each once.
pub(crate) fn push<T: PartialEq>(
    name: &'static str,
    values: &mut Vec<T>,
    more: impl IntoIterator<Item = T>,
) -> Result<(), FieldError> {
    for value in more {
        if values.contains(&value) {
            continue;
        }
        if values.len() == VALUES_MAX {
            let detail = format!("must be given at most {VALUES_MAX} times");
            return Err((name.into(), detail.into()));
        }
        values.push(value);
    }
    Ok(())
}

/// Reads severities, separated by commas.
pub(crate) fn parse_severities(value: &str) -> Result<Vec<Severity>, &'static str> {
    let names = value.split(',').map(str::trim);
    names
        .map(|name| Severity::parse(name).ok_or("must be some of critical, error, warning, info"))
        .collect()
}

/// Reads a label, and names the parameter if it is none.
pub(crate) fn parse_label(name: &str, value: &str) -> Result<Label, FieldError> {
    let name = LabelName::parse(name).map_err(because("label"))?;
    match LabelValue::parse(value) {
        Ok(value) => Ok(Label { name, value }),
        Err(error) => Err((format!("label.{name}").into(), error.to_string().into())),
    }
}
