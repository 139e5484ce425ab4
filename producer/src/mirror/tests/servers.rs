//! Servers that are empty, silent, endless, elsewhere or rude; and the gate that stands before them.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use uuid::Uuid;

use super::{LOCAL, Origin};
use crate::mirror::gate::{self, Gate, Way};
use crate::mirror::remote::Activity;
use crate::mirror::{Limits, Mirror, MirrorError, Verdict};
use crate::repository_url::RepositoryUrl;

const BRIEF: Duration = Duration::from_millis(200);
const NOBODY: &str = "0000000000000000000000000000000000000000";

/// What a server writes its answers to.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A server on this machine that answers each request with what `answer` makes of its head.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    /// The certificate that vouches for it, if it speaks TLS.
    certificate: Option<CertificateDer<'static>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut dyn Stream) + Send + 'static) -> Self {
        Self::serve(None, answer)
    }

    /// The same with TLS, under a certificate for `name`.
    fn start_tls(name: &str, answer: impl Fn(&str, &mut dyn Stream) + Send + 'static) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.key_pair.serialize_der()).unwrap();
        let certificate = made.cert.der().clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
        Self { certificate: Some(certificate), ..Self::serve(Some(Arc::new(config)), answer) }
    }

    fn serve(tls: Option<Arc<ServerConfig>>, answer: impl Fn(&str, &mut dyn Stream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream: Box<dyn Stream> = match (stream.unwrap(), &tls) {
                    (stream, None) => Box::new(stream),
                    (stream, Some(config)) => {
                        Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream))
                    }
                };
                if let Some(head) = read_request(&mut stream) {
                    count.fetch_add(1, Ordering::SeqCst);
                    answer(&head, &mut stream);
                }
            }
        });
        Self { address, requests, certificate: None }
    }

    /// Answers everything with these bytes.
    fn saying(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::start(move |_head, stream| stream.write_all(&reply).unwrap())
    }

    /// Accepts and never says a word.
    fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let held: Vec<_> = listener.incoming().collect();
            drop(held);
        });
        Self { address, requests: Arc::default(), certificate: None }
    }

    /// Fetches into a mirror of its own, which lives as long as the origin that is given back with it.
    fn fetch(&self, scheme: &str, limits: Limits) -> Result<(Origin, Mirror), MirrorError> {
        let origin = Origin::new();
        let url = RepositoryUrl::parse(&format!("{scheme}://{}/a/b.git", self.address), LOCAL).unwrap();
        let mut mirrors = origin.mirrors().with_limits(limits);
        if let Some(certificate) = &self.certificate {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone()).unwrap();
            mirrors.tls = Some(gate::trusting(roots));
        }
        let fetched = mirrors.fetch(Uuid::nil(), &url, None);
        fetched.map(|mirror| (origin, mirror))
    }

    fn error(&self) -> MirrorError {
        self.fetch("http", Limits::default()).unwrap_err()
    }
}

fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .to_lowercase()
        .split_once("content-length: ")
        .map_or(0, |(_, rest)| rest.split_once("\r\n").unwrap().0.parse::<usize>().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    Some(head)
}

fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

fn reply(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-{kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn advertisement(refs: &[String]) -> Vec<u8> {
    let service = packet("# service=git-upload-pack\n");
    reply("advertisement", format!("{service}0000{}0000", refs.concat()).as_bytes())
}

/// The start of a list of branches that never ends.
fn endless_advertisement() -> String {
    let kind = "Content-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 1000000000000";
    format!("HTTP/1.1 200 OK\r\n{kind}\r\n\r\n{}0000", packet("# service=git-upload-pack\n"))
}

/// Answers like a git server that has what `origin` has on its branch `main`.
fn git_server(origin: &Origin) -> impl Fn(&str, &mut dyn Stream) + Send + 'static {
    let commit = origin.repository.refname_to_id("refs/heads/main").unwrap();
    let mut pack = origin.repository.packbuilder().unwrap();
    pack.insert_commit(commit).unwrap();
    let mut bytes = git2::Buf::new();
    pack.write_buf(&mut bytes).unwrap();
    let answer = [packet("NAK\n").as_bytes(), &bytes].concat();
    let head = packet(&format!("{commit} HEAD\0symref=HEAD:refs/heads/main\n"));
    let refs = [head, packet(&format!("{commit} refs/heads/main\n"))];
    move |head, stream| {
        let is_list = head.starts_with("GET ");
        stream.write_all(&if is_list { advertisement(&refs) } else { reply("result", &answer) }).unwrap();
    }
}

#[test]
fn a_repository_is_cloned_over_http_and_https() {
    let origin = Origin::new();
    let commit = origin.push(&[("a.rs", "over the wire")]);
    let (plain, tls) = (Server::start(git_server(&origin)), Server::start_tls("127.0.0.1", git_server(&origin)));
    for (server, scheme) in [(plain, "http"), (tls, "https")] {
        let (_origin, mirror) = server.fetch(scheme, Limits::default()).unwrap();
        assert_eq!(mirror.default_branch().as_deref(), Some("main"));
        let blob = mirror.files(&commit).unwrap().entries[0].blob.clone();
        assert_eq!(mirror.read_blob(&blob, 100).unwrap(), b"over the wire");
        assert_eq!(server.requests.load(Ordering::SeqCst), 2, "{scheme}");
    }
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let origin = Origin::new();
    origin.push(&[("a.rs", "a")]);
    let unknown = Server { certificate: None, ..Server::start_tls("127.0.0.1", git_server(&origin)) };
    let of_another_name = Server::start_tls("git.example.com", git_server(&origin));
    for server in [unknown, of_another_name] {
        let error = server.fetch("https", Limits::default()).unwrap_err();
        assert!(matches!(error, MirrorError::Untrusted { .. }), "{error:?}");
        assert_eq!(error.verdict(), Verdict::Reject);
        assert_eq!(server.requests.load(Ordering::SeqCst), 0);
    }
    let brief = Limits { stall_max: BRIEF, ..Limits::default() };
    let clear = Server::start(git_server(&origin)).fetch("https", brief).unwrap_err();
    assert_eq!(clear.verdict(), Verdict::Retry, "{clear:?}");
}

/// Row B19: a server without any branch.
#[test]
fn a_server_without_branches_is_an_empty_repository() {
    for refs in [vec![], vec![packet(&format!("{NOBODY} capabilities^{{}}\0agent=x\n"))]] {
        let (_origin, mirror) = Server::saying(advertisement(&refs)).fetch("http", Limits::default()).unwrap();
        assert!(mirror.is_empty());
        assert_eq!(mirror.default_branch(), None);
    }
}

#[test]
fn refusals_are_told_apart() {
    let error = |status: &str| Server::saying(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")).error();
    for (status, verdict, text) in [
        ("404 Not Found", Verdict::Reject, "there is no repository at"),
        ("403 Forbidden", Verdict::Reject, "asks for a login"),
        ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"", Verdict::Reject, "asks for a login"),
        ("418 Teapot", Verdict::Reject, "refuses to be fetched"),
        ("429 Slow Down", Verdict::Retry, "cannot fetch"),
        ("500 Oops", Verdict::Retry, "cannot fetch"),
        ("503 Later", Verdict::Retry, "cannot fetch"),
    ] {
        let error = error(status);
        assert_eq!(error.verdict(), verdict, "{status}: {error:?}");
        assert!(error.to_string().contains(text), "{status}: {error}");
    }
}

/// Row B17: not to another host, nor within this one, nor to what else listens on this machine.
#[test]
fn no_redirect_is_followed() {
    let elsewhere = Server::saying(advertisement(&[]));
    let path = "a/b.git/info/refs?service=git-upload-pack";
    let port = elsewhere.address.port();
    for status in ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"] {
        for location in [
            format!("http://127.0.0.1:{port}/{path}"),
            format!("http://localhost:{port}/{path}"),
            format!("https://localhost:{port}/{path}"),
            "file:///etc".to_owned(),
            format!("/other/{path}"),
        ] {
            let head = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let server = Server::saying(head);
            let error = server.error();
            assert!(matches!(error, MirrorError::Redirected { .. }), "{status} {location}: {error:?}");
            assert_eq!(error.verdict(), Verdict::Reject);
            assert_eq!(server.requests.load(Ordering::SeqCst), 1);
        }
    }
    assert_eq!(elsewhere.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn what_a_server_says_reaches_no_error_raw() {
    let rude = format!("ERR \u{1b}[31mowned\r\n{}", "A".repeat(5_000));
    for body in [advertisement(&[packet(&rude)]), advertisement(&["zzzz\u{1b}[2J".to_owned()])] {
        let error = Server::saying(body).error();
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        for text in [error.to_string(), source, format!("{error:?}")] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(text.len() < 1_000, "{text:?}");
        }
    }
}

#[test]
fn a_silent_server_is_left_soon() {
    let server = Server::silent();
    for scheme in ["http", "https", "ssh"] {
        let started = Instant::now();
        let limits = Limits { stall_max: BRIEF, ..Limits::default() };
        let error = server.fetch(scheme, limits).unwrap_err();
        assert!(matches!(error, MirrorError::TimedOut { after: BRIEF, .. }), "{scheme}: {error:?}");
        assert_eq!(error.verdict(), Verdict::Retry);
        assert!(started.elapsed() < Duration::from_secs(20), "{scheme}");
    }
}

#[test]
fn a_server_that_talks_for_ever_is_stopped_in_time() {
    let server = Server::start(|_head, stream| {
        stream.write_all(endless_advertisement().as_bytes()).unwrap();
        // Small enough that no limit of bytes ends this.
        while stream.write_all(packet("#\n").as_bytes()).is_ok() {
            thread::yield_now();
        }
    });
    let limits = Limits { time_max: BRIEF, stall_max: Duration::from_secs(30), ..Limits::default() };
    let error = server.fetch("http", limits).unwrap_err();
    assert!(matches!(error, MirrorError::TimedOut { after: BRIEF, .. }), "{error:?}");
}

/// Row B19: an endless list of branches.
#[test]
fn an_endless_list_of_branches_is_cut_off() {
    let server = Server::start(|_head, stream| {
        stream.write_all(endless_advertisement().as_bytes()).unwrap();
        let oid = "1".repeat(40);
        let mut lines = (0..).map(|index| packet(&format!("{oid} refs/heads/{index}\n")));
        while stream.write_all(lines.next().unwrap().as_bytes()).is_ok() {}
    });
    let error = server.fetch("http", Limits { pack_bytes_max: 1 << 20, ..Limits::default() }).unwrap_err();
    assert!(matches!(error, MirrorError::OverLimit { what: "bytes of branches and tags", .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Reject);
}

/// Row B20: a pack that is cut short, or claims four billion objects.
#[test]
fn a_bad_pack_is_refused_and_leaves_nothing_behind() {
    let oid = "1".repeat(40);
    let refs = [packet(&format!("{oid} HEAD\0\n")), packet(&format!("{oid} refs/heads/main\n"))];
    for pack in [
        b"PACK\0\0\0\x02\xff\xff\xff\xff".to_vec(),
        b"PACK\0\0\0\x02\0\0\0\x01\x30".to_vec(),
        b"PACK\0\0\0\x09\0\0\0\x01".to_vec(),
        b"\x1b[31m".to_vec(),
    ] {
        let refs = refs.clone();
        let server = Server::start(move |head, stream| {
            let answer = [packet("NAK\n").as_bytes(), &pack, &[0; 64]].concat();
            let is_list = head.starts_with("GET ");
            stream.write_all(&if is_list { advertisement(&refs) } else { reply("result", &answer) }).unwrap();
        });
        let error = server.error();
        // Whether room for four billion objects can be had at all depends on the machine.
        let refused = matches!(error, MirrorError::OverLimit { .. } | MirrorError::Unreachable { .. });
        assert!(refused, "{error:?}");
    }
}

#[test]
fn a_closed_port_is_tried_again_later() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server { address: listener.local_addr().unwrap(), requests: Arc::default(), certificate: None };
    drop(listener);
    for scheme in ["http", "https", "ssh"] {
        let error = server.fetch(scheme, Limits::default()).unwrap_err();
        assert_eq!(error.verdict(), Verdict::Retry, "{error:?}");
    }
}

#[test]
fn what_is_no_web_server_is_told() {
    for greeting in ["220 smtp ready\r\n\r\n", "-ERR unknown command\r\n\r\n", "HTTP/2 200\r\n\r\n", "\0\0\0\r\n\r\n"] {
        let error = Server::saying(greeting).error();
        assert!(matches!(error, MirrorError::Unreachable { .. }), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), "the answer is not HTTP");
    }
}

/// Row B16: whatever a name resolves to later, the gate leads to the addresses that were checked, and to one repository.
#[test]
fn the_gate_leads_to_the_checked_address_and_nowhere_else() {
    let server = Server::start(|head, stream| {
        let host = head.split("host: ").nth(1).unwrap().split("\r\n").next().unwrap();
        stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{host}").as_bytes()).unwrap();
    });
    let gate = Gate::open(Way {
        url: RepositoryUrl::parse("http://localhost:1/a/b", LOCAL).unwrap(),
        addresses: vec![server.address],
        tls: gate::system_tls(),
        limits: Limits::default(),
        deadline: Instant::now() + Duration::from_secs(60),
        activity: Arc::new(Activity::default()),
    })
    .unwrap();
    let ask = |request: &str| {
        let address = gate.url().trim_start_matches("http://").trim_end_matches("/a/b").to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{request}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer).unwrap_or_default()
    };
    let expected = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nlocalhost:1";
    assert_eq!(ask("GET /a/b/info/refs HTTP/1.1\r\nHost: evil.example.com"), expected);
    for other in [
        "GET /a/other HTTP/1.1",
        "GET / HTTP/1.1",
        "GET http://evil.example.com/a/b HTTP/1.1",
        "CONNECT evil.example.com:443 HTTP/1.1",
        "PUT /a/b HTTP/1.1",
        "POST /a/b HTTP/1.1\r\nTransfer-Encoding: chunked",
        "POST /a/b HTTP/1.1\r\nContent-Length: x",
    ] {
        assert_eq!(ask(other), "", "{other}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}
