//! Tokens whose makers gave them a prefix so that they can be found.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Secret;
use super::randomness::{entropy, is_placeholder};

/// Which bytes a token is made of, behind its prefix.
#[derive(Clone, Copy)]
enum Charset {
    /// Letters and digits.
    Alphanumeric,
    /// Those with `_` and `-`.
    Url,
    /// Those with `.` too, or `/` in addresses.
    Dotted,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Upper-case letters and digits.
    Upper,
}

impl Charset {
    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'='),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        }
    }

    /// Bits per byte below which a token was typed, not drawn.
    fn entropy_min(self) -> f64 {
        match self {
            Self::Hex | Self::Upper => 2.5,
            _ => 3.0,
        }
    }
}

/// One kind of token.
struct Provider {
    what: &'static str,
    prefix: &'static str,
    charset: Charset,
    /// Shortest and longest, without the prefix.
    length: (usize, usize),
    /// Whether the last six characters are the CRC-32 of those before, in base 62.
    has_checksum: bool,
}

const fn token(what: &'static str, prefix: &'static str, charset: Charset, length: (usize, usize)) -> Provider {
    Provider { what, prefix, charset, length, has_checksum: false }
}

const fn checked(what: &'static str, prefix: &'static str) -> Provider {
    Provider { what, prefix, charset: Charset::Alphanumeric, length: (36, 36), has_checksum: true }
}

use Charset::{Alphanumeric, Dotted, Hex, Upper, Url};

/// Every known kind, by maker. Shapes are the makers' published ones.
static PROVIDERS: &[Provider] = &[
    token("age secret key", "AGE-SECRET-KEY-1", Upper, (58, 58)),
    token("Atlassian API token", "ATATT3xFfGF0", Dotted, (100, 300)),
    token("AWS access key", "AKIA", Upper, (16, 16)),
    token("AWS access key", "ASIA", Upper, (16, 16)),
    token("Azure storage key", "AccountKey=", Dotted, (86, 88)),
    token("Cargo registry token", "cio", Alphanumeric, (32, 32)),
    token("Databricks token", "dapi", Hex, (32, 32)),
    token("DigitalOcean token", "doo_v1_", Hex, (64, 64)),
    token("DigitalOcean token", "dop_v1_", Hex, (64, 64)),
    token("DigitalOcean token", "dor_v1_", Hex, (64, 64)),
    token("Discord webhook", "https://discord.com/api/webhooks/", Dotted, (80, 100)),
    token("Docker Hub token", "dckr_pat_", Url, (27, 27)),
    token("Doppler token", "dp.pt.", Alphanumeric, (43, 43)),
    token("Figma token", "figd_", Url, (40, 40)),
    checked("GitHub token", "gho_"),
    checked("GitHub token", "ghp_"),
    checked("GitHub token", "ghr_"),
    checked("GitHub token", "ghs_"),
    checked("GitHub token", "ghu_"),
    token("GitHub token", "github_pat_", Url, (82, 82)),
    token("GitLab token", "gldt-", Url, (20, 64)),
    token("GitLab token", "glpat-", Url, (20, 64)),
    token("GitLab token", "glrt-", Url, (20, 64)),
    token("Google API key", "AIza", Url, (35, 35)),
    token("Google OAuth secret", "GOCSPX-", Url, (28, 28)),
    token("Grafana token", "glsa_", Url, (41, 41)),
    token("HashiCorp Vault token", "hvb.", Url, (90, 300)),
    token("HashiCorp Vault token", "hvs.", Url, (90, 300)),
    token("Linear API key", "lin_api_", Alphanumeric, (40, 40)),
    token("Mailgun key", "key-", Hex, (32, 32)),
    token("Netlify token", "nfp_", Alphanumeric, (36, 36)),
    token("New Relic key", "NRAK-", Upper, (27, 27)),
    checked("npm token", "npm_"),
    token("Postman key", "PMAK-", Url, (59, 59)),
    token("Pulumi token", "pul-", Hex, (40, 40)),
    token("PyPI token", "pypi-AgEIcHlwaS5vcmc", Url, (50, 300)),
    token("RubyGems key", "rubygems_", Hex, (48, 48)),
    token("SendGrid key", "SG.", Dotted, (66, 66)),
    token("Sentry token", "sntrys_", Dotted, (60, 400)),
    token("Shopify token", "shpat_", Hex, (32, 32)),
    token("Shopify token", "shpca_", Hex, (32, 32)),
    token("Shopify token", "shppa_", Hex, (32, 32)),
    token("Shopify secret", "shpss_", Hex, (32, 32)),
    token("Slack token", "xapp-", Url, (40, 200)),
    token("Slack token", "xoxa-", Url, (20, 200)),
    token("Slack token", "xoxb-", Url, (20, 200)),
    token("Slack token", "xoxp-", Url, (20, 200)),
    token("Slack token", "xoxr-", Url, (20, 200)),
    token("Slack token", "xoxs-", Url, (20, 200)),
    token("Slack webhook", "https://hooks.slack.com/services/", Dotted, (40, 80)),
    token("Square secret", "sq0csp-", Url, (43, 43)),
    token("Stripe key", "rk_live_", Alphanumeric, (24, 120)),
    token("Stripe key", "sk_live_", Alphanumeric, (24, 120)),
    token("Stripe webhook secret", "whsec_", Alphanumeric, (32, 64)),
    token("Supabase token", "sbp_", Hex, (40, 40)),
    token("Twilio key", "SK", Hex, (32, 32)),
];

static PREFIXES: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let builder =
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(PROVIDERS.iter().map(|one| one.prefix));
    builder.expect("some dozen short prefixes fit every limit of the automaton")
});

/// The tokens of `text`, in order.
pub(super) fn find(text: &str) -> Vec<Secret> {
    let prefixes = PREFIXES.find_iter(text);
    prefixes.filter_map(|hit| read(text, &PROVIDERS[hit.pattern().as_usize()], hit.start())).collect()
}

fn read(text: &str, provider: &Provider, start: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    if start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || bytes[start - 1] == b'_') {
        return None;
    }
    let body = start + provider.prefix.len();
    let (shortest, longest) = provider.length;
    let length = bytes[body..].iter().take(longest + 1).take_while(|byte| provider.charset.holds(**byte)).count();
    let end = body + length;
    let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !(shortest..=longest).contains(&length) || goes_on {
        return None;
    }
    let value = text.get(body..end)?;
    if entropy(value) < provider.charset.entropy_min() || is_placeholder(value) {
        return None;
    }
    // A real token always passes its maker's checksum; one that does not was typed for an example.
    let confidence_permille = match provider.has_checksum {
        true if checksum_fits(value) => 1_000,
        true => 500,
        false => 950,
    };
    Some(Secret { span: start..end, shown: provider.prefix.len(), what: provider.what, confidence_permille })
}

fn checksum_fits(value: &str) -> bool {
    value.split_at_checked(30).is_some_and(|(random, checksum)| base62(crc32(random.as_bytes())) == checksum)
}

/// CRC-32 as in zip; bit by bit, since it runs over thirty bytes of a likely secret only.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _bit| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// Six digits, `0-9A-Za-z`.
fn base62(mut number: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_makers() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62(61), "00000z");
        let random = "Zk3vQ9xLr7TbWm2NcYdHpKs8GfJ4Ve";
        assert!(checksum_fits(&format!("{random}{}", base62(crc32(random.as_bytes())))));
        assert!(!checksum_fits(&format!("{random}000000")));
    }

    #[test]
    fn every_kind_is_found_at_its_length_and_not_beside_it() {
        // Scrambled by a plain generator, so that no placeholder and no low entropy interferes.
        let body = |provider: &Provider, length: usize| -> String {
            let is_wanted = |byte: &u8| byte.is_ascii_alphanumeric() && provider.charset.holds(*byte);
            let bytes: Vec<u8> = (0..=u8::MAX).filter(is_wanted).collect();
            let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            let states = std::iter::successors(Some(7), next).take(length);
            states.map(|state| char::from(bytes[(state >> 16) as usize % bytes.len()])).collect()
        };
        for provider in PROVIDERS {
            let (shortest, longest) = provider.length;
            let found = |length| find(&format!("\"{}{}\"", provider.prefix, body(provider, length))).len();
            assert_eq!((found(shortest), found(longest)), (1, 1), "{} {}", provider.what, provider.prefix);
            assert_eq!((found(shortest - 1), found(longest + 1)), (0, 0), "{} {}", provider.what, provider.prefix);
        }
    }
}
