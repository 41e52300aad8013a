//! Parsers for conditions that both streams and histories accept.

use northgate_domain::{Label, LabelName, LabelValue, Severity};
use std::borrow::Cow;

/// Upper bound of values per condition. Each item is compared with each value, so the time per item
/// increases with the number of values.
pub(crate) const VALUES_MAX: usize = 64;

/// Error text for an unknown severity.
pub(crate) const SEVERITY_NAMES: &str = "must be critical, error, warning or info";

/// Name of a bad parameter, and description of its error.
pub(crate) type FieldError = (Cow<'static, str>, Cow<'static, str>);

/// Turns a parse error of the parameter `name` into a field error.
pub(crate) fn because<E: ToString>(name: &'static str) -> impl FnOnce(E) -> FieldError {
    move |error| (name.into(), error.to_string().into())
}

/// Adds `more` values of the parameter `name` to `values`, without duplicates. More than
/// [`VALUES_MAX`] values are an error.
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
            let detail = format!("must have at most {VALUES_MAX} different values");
            return Err((name.into(), detail.into()));
        }
        values.push(value);
    }
    Ok(())
}

/// Parses severities that are separated by commas.
pub(crate) fn parse_severities(value: &str) -> Result<Vec<Severity>, &'static str> {
    let names = value.split(',').map(str::trim);
    names
        .map(|name| {
            Severity::parse(name).ok_or("must be one or more of critical, error, warning, info")
        })
        .collect()
}

/// Parses a label. The error names the bad parameter.
pub(crate) fn parse_label(name: &str, value: &str) -> Result<Label, FieldError> {
    let name = LabelName::parse(name).map_err(because("label"))?;
    match LabelValue::parse(value) {
        Ok(value) => Ok(Label { name, value }),
        Err(error) => Err((format!("label.{name}").into(), error.to_string().into())),
    }
}
