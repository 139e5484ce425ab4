//! What a repository says of how it wants to be audited, as one commit has it.

use schemas::bundle::ConfigFile;
use schemas::catalogue::Catalogue;
use schemas::finding::{CONFIDENCE_FULL, Finding, Location};
use schemas::item::{Item, ItemResult, SkipReason, Units};
use schemas::repository_config::{
    ATTRIBUTES_PATH, CONFIG_BYTES_MAX, CONFIG_PATH, EXCLUSIONS_BYTES_MAX, Exclusions, FIXED_RULE, IGNORE_PATH,
    RepositoryConfig, Settings, ignore_problems, read,
};
use schemas::severity::Severity;

use crate::mirror::{Entry, Listing, Mirror, MirrorError, RootFile};

/// What a repository wishes, ready to be applied.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Its configuration, for workers.
    pub config: Option<ConfigFile>,
    /// What the configuration means.
    pub settings: Settings,
    /// Files that say something wrong; they are looked at even if they have not changed.
    mistaken: Vec<Entry>,
    /// Files that say nothing, since they cannot be read, each with the finding that says why.
    unreadable: Vec<ItemResult>,
    exclusions: Exclusions,
}

impl Wishes {
    /// Nothing: what holds where a repository says nothing.
    pub fn none() -> Self {
        let settings = Settings::of(&RepositoryConfig::default(), &Catalogue::default());
        let (mistaken, unreadable) = (Vec::new(), Vec::new());
        Self { config: None, settings, mistaken, unreadable, exclusions: Exclusions::default() }
    }

    /// Reads them from the root of `commit`.
    ///
    /// # Errors
    /// If the mirror is damaged.
    pub fn read(mirror: &Mirror, commit: &schemas::ids::ObjectId, catalogue: &Catalogue) -> Result<Self, MirrorError> {
        let mut wishes = Self::none();
        let config = mirror.root_file(commit, CONFIG_PATH, CONFIG_BYTES_MAX as u64)?;
        if let Some((entry, text)) = wishes.readable(config) {
            let (config, problems) = read(&text, catalogue);
            wishes.settings = Settings::of(&config, catalogue);
            wishes.config = Some(ConfigFile { blob: entry.blob.clone(), text });
            wishes.mistaken.extend((!problems.is_empty()).then_some(entry));
        }
        let ignored = mirror.root_file(commit, IGNORE_PATH, EXCLUSIONS_BYTES_MAX as u64)?;
        let ignored = wishes.readable(ignored).map_or_else(String::new, |(entry, text)| {
            wishes.mistaken.extend((!ignore_problems(&text).is_empty()).then_some(entry));
            text
        });
        // Not ours: where it is no file, git itself reads nothing from it.
        let attributes = match mirror.root_file(commit, ATTRIBUTES_PATH, EXCLUSIONS_BYTES_MAX as u64)? {
            Some(RootFile::Text(_, text)) => text,
            Some(RootFile::Unreadable { .. }) | None => String::new(),
        };
        wishes.exclusions = Exclusions::of(&ignored, &attributes);
        Ok(wishes)
    }

    /// What a file says; if it cannot be read, that is kept as a finding.
    fn readable(&mut self, file: Option<RootFile>) -> Option<(Entry, String)> {
        match file? {
            RootFile::Text(entry, text) => Some((entry, text)),
            RootFile::Unreadable { entry, why } => {
                self.unreadable.push(unreadable(entry, &why));
                None
            }
        }
    }

    /// Moves what is to be left out of `listing` to what is skipped, and adds what is wrong and unchanged.
    pub fn apply(&self, listing: &mut Listing) {
        let (kept, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut listing.entries)
            .into_iter()
            .map(|entry| (self.reason(&entry.path), entry))
            .partition(|(reason, _)| reason.is_none());
        listing.entries = kept.into_iter().map(|(_, entry)| entry).chain(self.mistaken.iter().cloned()).collect();
        let is_unreadable = |item: &Item| self.unreadable.iter().any(|one| one.item == *item);
        listing.entries.retain(|entry| !is_unreadable(&item_of(entry)));
        listing.entries.sort();
        listing.entries.dedup();
        listing.skipped.retain(|(item, _)| !is_unreadable(item));
        let skipped = left_out.into_iter().filter_map(|(reason, entry)| Some((item_of(&entry), reason?)));
        listing.skipped.extend(skipped);
        listing.skipped.sort();
    }

    /// Findings about files that cannot be read.
    pub fn findings(&self) -> &[ItemResult] {
        &self.unreadable
    }

    fn reason(&self, path: &str) -> Option<SkipReason> {
        // Mistakes in these are told, whatever they say of themselves.
        if matches!(path, CONFIG_PATH | IGNORE_PATH) {
            return None;
        }
        self.settings.ignores(path).then_some(SkipReason::Ignored).or_else(|| self.exclusions.reason(path))
    }
}

fn item_of(entry: &Entry) -> Item {
    Item::File { path: entry.path.clone(), blob: entry.blob.clone() }
}

/// The finding that nothing in a file holds. Workers never see it: what cannot be read is in no bundle.
fn unreadable(entry: Entry, why: &str) -> ItemResult {
    let mut result = ItemResult::examined(item_of(&entry), Units::default());
    let Ok(rule) = FIXED_RULE.parse() else { return result };
    let location = Location::File { path: entry.path, line: 1, column: 1, end_line: 1, end_column: 1 };
    let mut finding = Finding {
        rule,
        severity: Severity::Medium,
        confidence_permille: CONFIDENCE_FULL,
        location,
        snippet: String::new(),
        message: format!("{why}; the defaults hold instead"),
        suggestion: "make it a text file at the root of the repository, within the limit".to_owned(),
        fingerprint: String::new(),
        content_fingerprint: String::new(),
    };
    finding.identify(why, 0);
    result.findings.push(finding);
    result
}
