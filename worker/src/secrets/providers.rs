//! Tokens whose makers marked them so that they can be found. Shapes are the makers' published ones.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::Secret;
use super::checksums::{bech32_fits, crc_fits};
use super::format::Charset::{Alphanumeric, Base32, Base64, Digit, Dotted, Hex, Letter, Lower, Upper, Url};
use super::format::Part::{self, Mark};
use super::format::{Format, between, run, token};
use crate::outline::Span;

/// A number as 8-4-4-4-12 hexadecimal digits.
const UUID: &[Part] =
    &[run(Hex, 8), Mark("-"), run(Hex, 4), Mark("-"), run(Hex, 4), Mark("-"), run(Hex, 4), Mark("-"), run(Hex, 12)];

/// A token of Slack: numbers of workspace and user, then what is drawn.
const SLACK: &[Part] = &[between(Digit, 8, 14), Mark("-"), between(Url, 16, 120)];

/// A place of a webhook of Slack: workspace, hook, and what is drawn.
const SLACK_HOOK: &[Part] =
    &[between(Upper, 9, 12), Mark("/"), between(Upper, 9, 12), Mark("/"), run(Alphanumeric, 24)];

/// A token of Slack for an app: app, number, and what is drawn.
const SLACK_APP: &[Part] = &[between(Upper, 9, 12), Mark("-"), between(Digit, 10, 14), Mark("-"), run(Hex, 64)];

/// A place of a webhook of Discord: its number, and what is drawn.
const DISCORD_HOOK: &[Part] = &[between(Digit, 17, 20), Mark("/"), run(Url, 68)];

/// A key of Paddle: its number, what is drawn, and a checksum that is not published.
const PADDLE: &[Part] = &[run(Lower, 26), Mark("_"), run(Alphanumeric, 22), Mark("_"), run(Alphanumeric, 3)];

/// A key of Tailscale: its number, and what is drawn.
const TAILSCALE: &[Part] = &[between(Alphanumeric, 11, 21), Mark("-"), between(Alphanumeric, 20, 40)];

/// Every known kind, by maker.
#[rustfmt::skip]
pub(super) static FORMATS: &[Format] = &[
    token("1Password service account", "ops_eyJ", &[between(Base64, 200, 1_200)]),
    token("Adafruit IO key", "aio_", &[run(Alphanumeric, 28)]),
    token("Adobe client secret", "p8e-", &[run(Alphanumeric, 32)]),
    token("age secret key", "AGE-SECRET-KEY-1", &[run(Upper, 58)]).checked(bech32_fits),
    token("Airtable token", "pat", &[run(Alphanumeric, 14), Mark("."), run(Hex, 64)]),
    token("Alibaba Cloud access key", "LTAI", &[between(Alphanumeric, 16, 20)]),
    token("Anthropic key", "sk-ant-admin01-", &[run(Url, 93), Mark("AA")]),
    token("Anthropic key", "sk-ant-api03-", &[run(Url, 93), Mark("AA")]),
    token("Artifactory key", "AKCp", &[run(Alphanumeric, 69)]),
    token("Atlassian API token", "ATATT3xFfGF0", &[between(Dotted, 100, 300)]),
    token("Atlassian Bitbucket token", "ATBB", &[run(Alphanumeric, 32)]),
    token("Atlassian Bitbucket token", "ATCTT3xFfG", &[between(Dotted, 100, 300)]),
    token("AWS access key", "ABIA", &[run(Base32, 16)]),
    token("AWS access key", "AKIA", &[run(Base32, 16)]),
    token("AWS access key", "ASIA", &[run(Base32, 16)]),
    token("Azure client secret", "Q~", &[between(Dotted, 31, 34)]).behind("", Alphanumeric, 4, 4),
    token("Azure DevOps token", "AZDO", &[run(Alphanumeric, 4)]).behind("", Alphanumeric, 76, 76),
    token("Azure storage key", "AccountKey=", &[run(Base64, 86), Mark("==")]),
    token("Brevo key", "xkeysib-", &[run(Hex, 64), Mark("-"), run(Alphanumeric, 16)]),
    token("Buildkite token", "bkua_", &[run(Hex, 40)]),
    token("Cargo registry token", "cio", &[run(Alphanumeric, 32)]),
    token("CircleCI token", "CCIPAT_", &[run(Alphanumeric, 22), Mark("_"), run(Hex, 40)]),
    token("Clojars token", "CLOJARS_", &[run(Hex, 60)]),
    token("Cloudflare API token", "cfat_", &[between(Alphanumeric, 44, 56)]),
    token("Cloudflare API token", "cfk_", &[between(Alphanumeric, 44, 56)]),
    token("Cloudflare API token", "cfut_", &[between(Alphanumeric, 44, 56)]),
    token("Cloudflare origin key", "v1.0-", &[run(Hex, 24), Mark("-"), run(Hex, 146)]),
    token("Cloudinary address", "cloudinary://", &[run(Digit, 15), Mark(":"), run(Url, 27)]),
    token("Contentful token", "CFPAT-", &[run(Url, 43)]),
    token("Databricks token", "dapi", &[run(Hex, 32)]),
    token("Deno Deploy token", "ddp_", &[run(Alphanumeric, 36)]),
    token("DigitalOcean token", "doo_v1_", &[run(Hex, 64)]),
    token("DigitalOcean token", "dop_v1_", &[run(Hex, 64)]),
    token("DigitalOcean token", "dor_v1_", &[run(Hex, 64)]),
    token("Discord webhook", "https://discord.com/api/webhooks/", DISCORD_HOOK),
    token("Discord webhook", "https://discordapp.com/api/webhooks/", DISCORD_HOOK),
    token("Docker Hub token", "dckr_oat_", &[run(Url, 32)]),
    token("Docker Hub token", "dckr_pat_", &[run(Url, 27)]),
    token("Doppler token", "dp.pt.", &[between(Alphanumeric, 40, 44)]),
    token("Doppler token", "dp.sa.", &[between(Alphanumeric, 40, 44)]),
    token("Doppler token", "dp.scim.", &[between(Alphanumeric, 40, 44)]),
    token("Dropbox token", "sl.", &[between(Url, 130, 1_500)]),
    token("Duffel token", "duffel_live_", &[run(Url, 43)]),
    token("Dynatrace token", "dt0c01.", &[run(Base32, 24), Mark("."), run(Base32, 64)]),
    token("Dynatrace token", "dt0s01.", &[run(Base32, 8), Mark("."), run(Base32, 64)]),
    token("EasyPost key", "EZAK", &[run(Alphanumeric, 54)]),
    token("Figma token", "figd_", &[run(Url, 40)]),
    token("Flutterwave secret", "FLWSECK-", &[run(Hex, 32), Mark("-X")]),
    token("Fly.io token", "fm2_", &[between(Base64, 100, 1_500)]),
    token("Fly.io token", "fo1_", &[run(Url, 43)]),
    token("GitHub token", "gho_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("GitHub token", "ghp_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("GitHub token", "ghr_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("GitHub token", "ghs_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("GitHub token", "ghu_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("GitHub token", "github_pat_", &[run(Alphanumeric, 22), Mark("_"), run(Alphanumeric, 59)]),
    token("GitLab token", "glagent-", &[between(Url, 50, 64)]),
    token("GitLab token", "glcbt-", &[between(Url, 20, 64)]),
    token("GitLab token", "gldt-", &[between(Url, 20, 64)]),
    token("GitLab token", "glimt-", &[between(Url, 25, 64)]),
    token("GitLab token", "gloas-", &[run(Url, 64)]),
    token("GitLab token", "glpat-", &[between(Url, 20, 64)]),
    token("GitLab token", "glptt-", &[run(Hex, 40)]),
    token("GitLab token", "glrt-", &[between(Url, 20, 64)]),
    token("GitLab token", "glsoat-", &[between(Url, 20, 64)]),
    token("GitLab token", "GR1348941", &[run(Url, 20)]),
    token("Google API key", "AIza", &[run(Url, 35)]),
    token("Google OAuth secret", "GOCSPX-", &[run(Url, 28)]),
    token("Grafana token", "glc_eyJ", &[between(Base64, 60, 400)]),
    token("Grafana token", "glsa_", &[run(Alphanumeric, 32), Mark("_"), run(Hex, 8)]),
    token("Groq key", "gsk_", &[run(Alphanumeric, 52)]),
    token("Harness token", "pat.", &[run(Url, 22), Mark("."), run(Hex, 24), Mark("."), run(Alphanumeric, 20)]),
    token("HashiCorp Terraform token", ".atlasv1.", &[between(Url, 60, 70)]).behind("", Alphanumeric, 14, 14),
    token("HashiCorp Vault token", "hvb.", &[between(Url, 90, 300)]),
    token("HashiCorp Vault token", "hvs.", &[between(Url, 90, 300)]),
    token("Heroku key", "HRKU-AA", &[run(Url, 58)]),
    token("HubSpot token", "pat-eu1-", UUID),
    token("HubSpot token", "pat-na1-", UUID),
    token("Hugging Face token", "hf_", &[run(Letter, 34)]),
    token("Infracost key", "ico-", &[run(Alphanumeric, 32)]),
    token("LangSmith key", "lsv2_pt_", &[run(Hex, 32), Mark("_"), run(Hex, 10)]),
    token("LangSmith key", "lsv2_sk_", &[run(Hex, 32), Mark("_"), run(Hex, 10)]),
    token("LaunchDarkly key", "sdk-", UUID),
    token("Linear API key", "lin_api_", &[run(Alphanumeric, 40)]),
    token("Linear token", "lin_oauth_", &[run(Hex, 64)]),
    token("Mailchimp key", "-us", &[between(Digit, 1, 2)]).behind("", Hex, 32, 32),
    token("MailerSend token", "mlsn.", &[run(Hex, 64)]),
    token("Mailgun key", "key-", &[run(Hex, 32)]),
    token("Mapbox token", "sk.eyJ", &[between(Url, 60, 120), Mark("."), run(Url, 22)]),
    token("MaxMind key", "_mmk", &[]).behind("", Url, 36, 36),
    token("Neon key", "napi_", &[run(Lower, 64)]),
    token("Netlify token", "nfp_", &[run(Alphanumeric, 36)]),
    token("New Relic key", "FFFFNRAL", &[]).behind("", Hex, 32, 32),
    token("New Relic key", "NRAK-", &[run(Upper, 27)]),
    token("Notion token", "ntn_", &[run(Digit, 11), run(Alphanumeric, 35)]),
    token("npm token", "npm_", &[run(Alphanumeric, 36)]).checked(crc_fits),
    token("NuGet key", "oy2", &[run(Lower, 43)]),
    token("Octopus Deploy key", "API-", &[run(Upper, 26)]),
    token("OpenAI key", "T3BlbkFJ", &[between(Url, 20, 90)]).behind("sk-", Url, 23, 100),
    token("OpenRouter key", "sk-or-v1-", &[run(Hex, 64)]),
    token("Paddle key", "pdl_live_apikey_", PADDLE),
    token("Perplexity key", "pplx-", &[run(Alphanumeric, 48)]),
    token("Pinecone key", "pcsk_", &[between(Alphanumeric, 5, 6), Mark("_"), run(Alphanumeric, 63)]),
    token("PlanetScale password", "pscale_pw_", &[between(Url, 32, 64)]),
    token("PlanetScale token", "pscale_tkn_", &[between(Url, 32, 64)]),
    token("Postman key", "PMAK-", &[run(Hex, 24), Mark("-"), run(Hex, 34)]),
    token("Prefect key", "pnu_", &[run(Lower, 36)]),
    token("Pulumi token", "pul-", &[run(Hex, 40)]),
    token("PyPI token", "pypi-AgEIcHlwaS5vcmc", &[between(Url, 50, 300)]),
    token("PyPI token", "pypi-AgENdGVzdC5weXBpLm9yZw", &[between(Url, 50, 300)]),
    token("ReadMe key", "rdme_", &[run(Lower, 70)]),
    token("Render key", "rnd_", &[between(Alphanumeric, 28, 32)]),
    token("Replicate token", "r8_", &[run(Alphanumeric, 37)]),
    token("Resend key", "re_", &[run(Alphanumeric, 8), Mark("_"), run(Alphanumeric, 24)]),
    token("RubyGems key", "rubygems_", &[run(Hex, 48)]),
    token("Scalingo token", "tk-us-", &[run(Url, 48)]),
    token("SendGrid key", "SG.", &[run(Url, 22), Mark("."), run(Url, 43)]),
    token("Sentry token", "sntrys_eyJ", &[between(Dotted, 60, 400)]),
    token("Sentry token", "sntryu_", &[run(Hex, 64)]),
    token("Shippo token", "shippo_live_", &[run(Hex, 40)]),
    token("Shopify secret", "shpss_", &[run(Hex, 32)]),
    token("Shopify token", "shpat_", &[run(Hex, 32)]),
    token("Shopify token", "shpca_", &[run(Hex, 32)]),
    token("Shopify token", "shppa_", &[run(Hex, 32)]),
    token("Slack token", "xapp-1-", SLACK_APP),
    token("Slack token", "xoxa-", SLACK),
    token("Slack token", "xoxb-", SLACK),
    token("Slack token", "xoxe.xoxp-1-", &[between(Alphanumeric, 140, 180)]),
    token("Slack token", "xoxp-", SLACK),
    token("Slack token", "xoxr-", SLACK),
    token("Slack token", "xoxs-", SLACK),
    token("Slack webhook", "https://hooks.slack.com/services/", SLACK_HOOK),
    token("SonarQube token", "sqa_", &[run(Hex, 40)]),
    token("SonarQube token", "sqp_", &[run(Hex, 40)]),
    token("SonarQube token", "squ_", &[run(Hex, 40)]),
    token("Sourcegraph token", "sgp_", &[between(Alphanumeric, 5, 16), Mark("_"), run(Hex, 40)]),
    token("Square secret", "sq0csp-", &[run(Url, 43)]),
    token("Square token", "sq0atp-", &[run(Url, 22)]),
    token("Stripe key", "rk_live_", &[between(Alphanumeric, 24, 120)]),
    token("Stripe key", "sk_live_", &[between(Alphanumeric, 24, 120)]),
    token("Stripe webhook secret", "whsec_", &[between(Alphanumeric, 32, 64)]),
    token("Supabase key", "sb_secret_", &[run(Url, 22), Mark("_"), run(Url, 8)]),
    token("Supabase token", "sbp_", &[run(Hex, 40)]),
    token("Tailscale key", "tskey-api-", TAILSCALE),
    token("Tailscale key", "tskey-auth-", TAILSCALE),
    token("Tailscale key", "tskey-client-", TAILSCALE),
    token("Telegram bot token", ":AA", &[run(Url, 33)]).behind("", Digit, 8, 10),
    token("Tencent Cloud key", "AKID", &[run(Alphanumeric, 32)]),
    token("Twilio key", "SK", &[run(Hex, 32)]),
    token("Typeform token", "tfp_", &[run(Dotted, 59)]),
    token("Vercel blob token", "vercel_blob_rw_", &[run(Alphanumeric, 16), Mark("_"), between(Alphanumeric, 30, 48)]),
    token("WakaTime key", "waka_", UUID),
    token("xAI key", "xai-", &[run(Alphanumeric, 80)]),
    token("Yandex Cloud key", "AQVN", &[between(Url, 35, 38)]),
];

static ANCHORS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    // Of so many words the library would make a smaller automaton that takes twice as long, and every text goes through it.
    let mut builder = AhoCorasick::builder();
    builder.kind(Some(AhoCorasickKind::DFA)).match_kind(MatchKind::LeftmostLongest);
    let built = builder.build(FORMATS.iter().map(|one| one.anchor));
    built.expect("some dozen short anchors fit every limit of the automaton")
});

/// The tokens of `text`, each of which lies in one of `runs`, in order of their anchors.
pub(super) fn find(text: &str, runs: &[Span]) -> Vec<Secret> {
    let anchors = runs.iter().flat_map(|run| ANCHORS.find_iter(Input::new(text).range(run.clone())));
    anchors.filter_map(|hit| read(text, &FORMATS[hit.pattern().as_usize()], hit.start())).collect()
}

fn read(text: &str, format: &Format, at: usize) -> Option<Secret> {
    let (start, end) = format.read(text, at)?;
    // A real token always passes its maker's checksum; one that does not was typed for an example.
    let confidence_permille = match format.checksum {
        Some(fits) if fits(&text[start..end]) => 1_000,
        Some(_) => 500,
        None => 950,
    };
    // In front of an anchor inside a token stands a part of the secret.
    let shown = if format.lead.is_none() { format.anchor.len() } else { 0 };
    Some(Secret { span: start..end, shown, what: format.what, confidence_permille })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::plain_runs;
    use crate::secrets::samples::{drawn, typed};

    fn found(text: &str) -> Vec<&str> {
        find(text, &plain_runs(text)).into_iter().map(|secret| &text[secret.span]).collect()
    }

    #[test]
    fn drawn_tokens_of_every_kind_are_found_whole() {
        for sample in drawn() {
            for text in [format!("x = \"{}\"", sample.token), format!("A={}\n", sample.token), sample.token.clone()] {
                assert_eq!(found(&text), [&sample.token], "{} {}", sample.what, sample.shown);
            }
        }
    }

    #[test]
    fn parts_of_longer_words_are_no_tokens() {
        for sample in drawn() {
            let token = &sample.token;
            for text in [format!("a{token}"), format!("_{token}"), format!("{token}_a")] {
                assert!(!found(&text).contains(&token.as_str()), "{} in {text}", sample.what);
            }
        }
    }

    #[test]
    fn a_byte_too_few_makes_no_token() {
        for shortest in drawn().iter().step_by(2) {
            let (first, last) = (&shortest.token[1..], &shortest.token[..shortest.token.len() - 1]);
            assert!(found(first).is_empty() && found(last).is_empty(), "{} {}", shortest.what, shortest.shown);
        }
    }

    #[test]
    fn a_byte_too_many_makes_no_token() {
        for longest in drawn().iter().skip(1).step_by(2) {
            let text = format!("{}7", longest.token);
            assert!(found(&text).is_empty(), "{} {}", longest.what, longest.shown);
        }
    }

    #[test]
    fn typed_tokens_are_not_found() {
        for sample in typed() {
            assert!(found(&sample.token).is_empty(), "{} {}", sample.what, sample.token);
        }
    }

    #[test]
    fn a_checksum_tells_real_from_made_up() {
        let sure = |text: &str| find(text, &plain_runs(text))[0].confidence_permille;
        let real = drawn().into_iter().find(|sample| sample.shown == "ghp_").unwrap().token;
        let made_up = format!("{}{}", &real[..real.len() - 6], "0a1b2C");
        assert_eq!((sure(&real), sure(&made_up)), (1_000, 500));
    }

    #[test]
    fn anchors_alone_are_no_tokens() {
        let anchors: String = FORMATS.iter().map(|format| format!("{} ", format.anchor)).collect();
        assert!(found(&anchors.repeat(200)).is_empty());
    }
}
