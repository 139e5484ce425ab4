//! The words that names are made of.

/// The words of `name` in lower case, whichever way it joins them: `load_all`, `loadAll`, `LoadAll`, `LOAD_ALL`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            last = '_';
            continue;
        }
        let opens = last == '_' || (c.is_uppercase() && !last.is_uppercase());
        match words.last_mut().filter(|_| !opens) {
            Some(word) => word.extend(c.to_lowercase()),
            None => words.push(c.to_lowercase().collect()),
        }
        last = c;
    }
    words
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
