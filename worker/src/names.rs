//! The words that names are made of.

/// The words of `name` in lower case, whichever way it joins them: `load_all`, `loadAll`, `LoadAll`, `LOAD_ALL`.
pub(crate) fn words(name: &str) -> Vec<String> {
    parts(name).map(str::to_lowercase).collect()
}

/// The words of `name` as they stand in it.
pub(crate) fn parts(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut last = rest.chars().next()?;
        let first = last.len_utf8();
        let is_next = |c: char| {
            let opens = c.is_uppercase() && !last.is_uppercase();
            last = c;
            opens || !c.is_alphanumeric()
        };
        let end = rest[first..].find(is_next).map_or(rest.len(), |at| first + at);
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_however_they_are_joined() {
        for name in ["load_all", "loadAll", "LoadAll", "LOAD_ALL", "__load_all__", "#load$all"] {
            assert_eq!(words(name), ["load", "all"], "{name}");
        }
        assert_eq!(words("is_é2"), ["is", "é2"]);
        assert_eq!(words("'quoted name'"), ["quoted", "name"]);
        assert!(words("_").is_empty());
    }
}
