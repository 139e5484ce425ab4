//! The fault proxy: each weather does to the bytes what it says, and clears.

use std::time::{Duration, Instant};

use tests::proxy::{Door, Loss, Proxy, Way, Weather};
use tests::wait::{LONG, wait_for};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A server that answers with what it gets, behind a proxy.
async fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    Proxy::start(address, 7).await
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends `bytes` and reads as many back.
async fn ask(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes).await?;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// Whether nothing comes for a while.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(200), stream.read_u8()).await.is_err()
}

/// Whether the connection ends, and without a byte.
async fn is_cut(stream: &mut TcpStream) -> bool {
    timeout(LONG, stream.read_u8()).await.unwrap().is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn fine_weather_carries_everything_unchanged() {
    let (proxy, all) = (echo().await, (0..=255).collect::<Vec<u8>>().repeat(1_000));
    let mut stream = connect(&proxy).await;
    let (mut read, mut write) = stream.split();
    let mut answer = vec![0; all.len()];
    let (written, read) = tokio::join!(write.write_all(&all), read.read_exact(&mut answer));
    written.unwrap();
    read.unwrap();
    assert!(answer == all, "what came back differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_weather_delays_slices_and_throttles() {
    let proxy = echo().await;
    let mut stream = connect(&proxy).await;
    let delay = Duration::from_millis(100);
    proxy.set(Way::Up, Weather { delay, jitter: delay, ..Weather::default() });
    let begin = Instant::now();
    assert_eq!(ask(&mut stream, b"late").await.unwrap(), b"late");
    assert!(begin.elapsed() >= delay, "{:?}", begin.elapsed());

    proxy.clear();
    proxy.set(Way::Down, Weather { bandwidth: Some(1_000), slice: Some(1), ..Weather::default() });
    let begin = Instant::now();
    stream.write_all(&[b'x'; 200]).await.unwrap();
    let mut pieces = Vec::new();
    while pieces.iter().sum::<usize>() < 200 {
        let mut buffer = [0; 200];
        pieces.push(stream.read(&mut buffer).await.unwrap());
    }
    assert!(pieces.len() > 20, "it came in {} pieces", pieces.len());
    assert!(begin.elapsed() >= Duration::from_millis(190), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_ends_every_connection_and_lets_new_ones_in() {
    let proxy = echo().await;
    let mut streams = [connect(&proxy).await, connect(&proxy).await];
    for stream in &mut streams {
        ask(stream, b"there").await.unwrap();
    }
    proxy.cut();
    for stream in &mut streams {
        assert!(is_cut(stream).await);
    }
    assert_eq!(ask(&mut connect(&proxy).await, b"again").await.unwrap(), b"again");

    proxy.set(Way::Up, Weather { cut_after: Some(10), ..Weather::default() });
    let mut stream = connect(&proxy).await;
    assert_eq!(ask(&mut stream, b"five.").await.unwrap(), b"five.");
    stream.write_all(b"five.and more").await.unwrap();
    wait_for("the connection to be cut", LONG, async || stream.read_u8().await.is_err().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_refuse_or_never_answer() {
    let proxy = echo().await;
    let mut before = connect(&proxy).await;
    ask(&mut before, b"before").await.unwrap();
    proxy.door(Door::Refuse);
    // The reset may come so early that there never is a connection.
    if let Ok(mut refused) = TcpStream::connect(proxy.address()).await {
        assert!(is_cut(&mut refused).await);
    }
    proxy.door(Door::Silent);
    let mut waiting = connect(&proxy).await;
    waiting.write_all(b"anybody?").await.unwrap();
    assert!(is_silent(&mut waiting).await);
    assert_eq!(ask(&mut before, b"still").await.unwrap(), b"still", "who is inside stays inside");
    proxy.clear();
    assert!(is_cut(&mut waiting).await);
    assert_eq!(ask(&mut connect(&proxy).await, b"open").await.unwrap(), b"open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_way_partition_holds_or_loses_one_way_only() {
    let proxy = echo().await;
    for way in [Way::Up, Way::Down] {
        let mut stream = connect(&proxy).await;
        ask(&mut stream, b"before").await.unwrap();
        proxy.set(way, Weather { loss: Loss::Hold, ..Weather::default() });
        stream.write_all(b"held").await.unwrap();
        assert!(is_silent(&mut stream).await);
        proxy.clear();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"held");

        proxy.set(way, Weather { loss: Loss::Swallow, ..Weather::default() });
        stream.write_all(b"gone").await.unwrap();
        assert!(is_silent(&mut stream).await);
        proxy.clear();
        assert!(is_cut(&mut stream).await, "a stream with a hole must not go on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_lost_after_it_was_given() {
    let proxy = echo().await;
    proxy.lose_replies_to("COMMIT", 1);
    let mut stream = connect(&proxy).await;
    assert_eq!(ask(&mut stream, b"BEGIN").await.unwrap(), b"BEGIN");
    stream.write_all(b"COMMIT").await.unwrap();
    assert!(is_cut(&mut stream).await);
    assert_eq!(proxy.replies_lost(), 1);
    assert_eq!(ask(&mut connect(&proxy).await, b"COMMIT").await.unwrap(), b"COMMIT", "only once");
}
