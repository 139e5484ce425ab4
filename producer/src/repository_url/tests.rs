//! What is accepted as the address of a repository, row by row.

use std::net::IpAddr;

use proptest::prelude::*;
use url::Url;

use super::{Access, RepositoryUrl, Scheme};

const STRICT: Access = Access { allow_local: false };
const LOCAL: Access = Access { allow_local: true };

fn refusal(text: &str, access: Access) -> String {
    match RepositoryUrl::parse(text, access) {
        Ok(url) => panic!("accepted {text:?} as {url}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn addresses_are_printed_again_from_their_parts() {
    for (text, printed) in [
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("HTTPS://GitHub.com:443/a/b/", "https://github.com/a/b"),
        ("https://dev.azure.com/org/My%20Project/_git/repo", "https://dev.azure.com/org/My%20Project/_git/repo"),
        ("https://git.example.com:8443/x", "https://git.example.com:8443/x"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"),
        ("git@github.com:a/b.git", "ssh://git@github.com/a/b.git"),
        ("me@github.com:/a/b", "ssh://me@github.com/a/b"),
        ("ssh://github.com/a/b", "ssh://git@github.com/a/b"),
        ("ssh://git@ssh.github.com:443/a/b", "ssh://git@ssh.github.com:443/a/b"),
        ("ssh://git@review.example.com:29418/~me/b", "ssh://git@review.example.com:29418/~me/b"),
    ] {
        let url = RepositoryUrl::parse(text, STRICT).unwrap();
        assert_eq!(url.as_str(), printed);
        assert_eq!(RepositoryUrl::parse(printed, STRICT).unwrap(), url, "printing {text} is not stable");
    }
}

/// Row B14.
#[test]
fn whatever_is_not_plain_https_or_ssh_is_refused() {
    for text in [
        "",
        "x",
        "file:///etc",
        "file://host/x",
        "ext::sh -c x",
        "ext::sh",
        "EXT::sh",
        "fd::17/x",
        "git://github.com/a",
        "http://github.com/a",
        "ftp://github.com/a",
        "ssh://-oProxyCommand=x/",
        "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "-oProxyCommand=x@h.example:y",
        "ssh://-x@h.example/y",
        "\\\\host\\share",
        "github.com:a/b",
        "C:\\x",
        "C:/x",
        "https:///x",
        "https://",
        "https://github.com",
        "https://github.com/",
        "https:/github.com/a",
        "https:github.com/a",
        "git@github.com:-x",
        "git@github.com:",
        "git@github.com::a",
        "https://github.com/a/../b",
        "https://github.com/./b",
        "https://github.com//b",
        "https://github.com/-x",
        "ssh://git@github.com/--upload-pack=x",
        "https://github.com/%2e%2e/b",
        "https://github.com/a%2fb",
        "https://github.com/a%00",
        "https://github.com/a%0a",
        "https://github.com/%",
        "https://github.com/a'b",
        "https://github.com/a;b",
        "https://github.com/$(x)",
        "https://github.com/a?b=c",
        "https://github.com/a#b",
        "/srv/repo",
        "../repo",
    ] {
        refusal(text, STRICT);
    }
    refusal(&format!("https://github.com/{}", "a".repeat(2_048)), STRICT);
}

#[test]
fn a_password_is_refused_and_not_repeated() {
    for text in [
        "https://me:hunter2@github.com/a",
        "https://hunter2@github.com/a",
        "ssh://git:hunter2@github.com/a",
        "ftp://a:hunter2@x/y@z",
        "git:hunter2@github.com:a/b",
        "https://github.com/a?token=hunter2",
        "https://github.com/a#hunter2",
        "https://me:hunter2@x y/",
        "http://me:hunter2@localhost/x",
    ] {
        for access in [STRICT, LOCAL] {
            let error = refusal(text, access);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
    assert!(refusal("https://me:hunter2@github.com/a", STRICT).contains("leave the user and password out"));
}

/// Row B15: every spelling of an internal host.
#[test]
fn internal_hosts_are_refused_in_every_spelling() {
    let hosts = "127.0.0.1 0 0.0.0.0 0x7f000001 2130706433 017700000001 127.1 0177.0.0.1 0x7f.1 [::1] [::] \
        [::ffff:127.0.0.1] [::ffff:8.8.8.8] [::127.0.0.1] 169.254.169.254 100.64.0.1 100.127.255.255 \
        100.100.100.200 192.0.0.192 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.9 10.0.0.1 \
        172.16.0.1 172.31.255.255 192.168.1.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 [fd00::1] \
        [fc00::1] [fe80::1] [fe80::1%eth0] [fe80::1%25eth0] [febf::1] [fec0::1] [ff02::1] [64:ff9b::808:808] \
        [64:ff9b:1::1] [100::1] [2001::1] [2001:db8::1] [2002:7f00:1::] [3fff::1] [5f00::1] localhost \
        LOCALHOST localhost. a.localhost metadata.google.internal metadata db.prod.svc \
        kubernetes.default.svc.cluster.local printer.local intranet wiki.corp router.home.arpa nas.lan";
    for host in hosts.split(' ') {
        for text in [format!("https://{host}/a"), format!("ssh://git@{host}/a"), format!("git@{host}:a")] {
            refusal(&text, STRICT);
        }
    }
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "db.prod.svc",
        "0x7f000001",
        "127.1",
        "[::ffff:127.0.0.1]",
        "metadata",
        "2130706433",
    ] {
        refusal(&format!("https://{host}/a"), LOCAL);
    }
}

/// Row B18: odd names and ports.
#[test]
fn odd_names_and_ports_are_refused() {
    for text in [
        "https://xn--example-.org/a",
        "https://xn--a/a",
        "https://b\u{fc}cher.example/a",
        "https://p\u{430}ypal.com/a",
        "https://github.com./a",
        "https://github.com:22/a",
        "https://github.com:25/a",
        "https://github.com:6379/a",
        "ssh://git@github.com:25/a",
        "ssh://git@github.com:6379/a",
        "https://github.com:/a",
        "https://github.com:0/a",
        "https://github.com:65536/a",
        "https://github.com:+443/a",
        "https://a@b@github.com/a",
        "ssh://a@b@github.com/a",
        "https://git\thub.com/a",
        "https://git\nhub.com/a",
        "https://github.com/a\r",
        " https://github.com/a",
        "https://github.com/a ",
        "https://git%68ub.com/a",
        "https://.github.com/a",
        "https://github..com/a",
        "https://-a.example/a",
        "https://a-.example/a",
        "https://example.1/a",
        "https://[::1/a",
        "https://]/a",
        "https://[]/a",
    ] {
        refusal(text, STRICT);
    }
}

#[test]
fn this_machine_is_allowed_only_when_the_operator_says_so() {
    for (text, scheme) in [
        ("file:///srv/a.git", Scheme::File),
        ("http://127.0.0.1:3000/a", Scheme::Http),
        ("http://localhost/a", Scheme::Http),
        ("https://localhost:9999/a", Scheme::Https),
        ("https://[::1]:9999/a", Scheme::Https),
        ("ssh://git@127.0.0.1:2022/a", Scheme::Ssh),
    ] {
        refusal(text, STRICT);
        let url = RepositoryUrl::parse(text, LOCAL).unwrap();
        assert_eq!((url.as_str(), url.scheme()), (text, scheme));
    }
    for text in [
        "http://github.com/a",
        "http://8.8.8.8/a",
        "file://host/a",
        "file:///a/../b",
        "file:a",
        "ext::sh",
        "git://localhost/a",
    ] {
        refusal(text, LOCAL);
    }
}

#[test]
fn every_address_behind_a_name_must_be_allowed() {
    let ips = |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    let check = |url: &str, resolved: &[&str], access| {
        RepositoryUrl::parse(url, LOCAL).unwrap().check_addresses(&ips(resolved), access).is_ok()
    };
    let public = "https://git.example.com/a";
    assert!(check(public, &["8.8.8.8"], STRICT));
    assert!(check(public, &["8.8.8.8", "2606:4700::1111"], STRICT));
    assert!(!check(public, &[], STRICT));
    assert!(!check(public, &["8.8.8.8", "10.0.0.1"], STRICT), "one internal address is enough to lead astray");
    assert!(!check(public, &["127.0.0.1"], STRICT));
    assert!(!check(public, &["::ffff:127.0.0.1"], LOCAL));
    assert!(!check(public, &["169.254.169.254"], LOCAL));
    assert!(check(public, &["127.0.0.1", "::1"], LOCAL));
    assert!(!check("http://localhost/a", &["8.8.8.8"], LOCAL), "clear text never leaves this machine");
    assert!(check("file:///a", &[], LOCAL) && !check("file:///a", &[], STRICT));
}

#[test]
fn the_ends_of_every_special_range_are_special_and_their_neighbours_are_not() {
    for (inside, outside) in [
        ("10.255.255.255", "11.0.0.0"),
        ("100.64.0.0", "100.63.255.255"),
        ("100.127.255.255", "100.128.0.0"),
        ("127.255.255.255", "128.0.0.0"),
        ("169.254.0.0", "169.253.255.255"),
        ("172.31.255.255", "172.32.0.0"),
        ("192.0.0.255", "192.0.1.0"),
        ("192.168.255.255", "192.169.0.0"),
        ("198.19.255.255", "198.20.0.0"),
        ("224.0.0.0", "223.255.255.255"),
        ("2002:ffff::", "2003::"),
        ("2001:1ff:ffff::", "2001:200::"),
        ("2001:db8:ffff::", "2001:db9::"),
        ("1fff::", "2000::"),
        ("4000::", "3ffe::"),
    ] {
        let url = RepositoryUrl::parse("https://git.example.com/a", STRICT).unwrap();
        assert!(url.check_addresses(&[inside.parse().unwrap()], STRICT).is_err(), "{inside}");
        assert!(url.check_addresses(&[outside.parse().unwrap()], STRICT).is_ok(), "{outside}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(text in ".*") {
        for access in [STRICT, LOCAL] {
            if let Err(error) = RepositoryUrl::parse(&text, access) {
                prop_assert!(!error.to_string().chars().any(char::is_control));
            }
        }
    }

    /// Another parser of the printed address sees the same host, port and path as we do.
    #[test]
    fn what_is_printed_reads_the_same_elsewhere(
        text in "(https|ssh|HTTPS)://([a-z-]{1,3}@)?[a-zA-Z0-9.\\[\\]:%-]{1,20}(\\.com)?(:[0-9]{1,5})?(/[a-z.%0-9@:~-]{0,8}){1,3}",
    ) {
        if let Ok(url) = RepositoryUrl::parse(&text, LOCAL) {
            let other = Url::parse(url.as_str()).unwrap();
            prop_assert_eq!(other.host_str().unwrap().trim_matches(['[', ']']), url.host());
            prop_assert_eq!(other.port().unwrap_or(url.scheme().default_port()), url.port());
            prop_assert_eq!(other.path().trim_start_matches('/'), url.path());
            prop_assert_eq!(other.as_str(), url.as_str());
            prop_assert_eq!(RepositoryUrl::parse(url.as_str(), LOCAL).unwrap(), url);
        }
    }
}
