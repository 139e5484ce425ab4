//! Sleeps of tests and others, in each language.

use schemas::severity::Severity::Low;

use super::RULE;
use crate::rules::testing::check;

#[test]
fn rust() {
    let run =
        |body: &str, expected: &[_]| check(&RULE, "tests/a.rs", &format!("#[test]\nfn a() {{ {body} }}\n"), expected);
    run("std::thread::sleep(Duration::from_millis(100));", &[(2, Low)]);
    run("tokio::time::sleep(std::time::Duration::from_secs(1)).await;", &[(2, Low)]);
    run("sleep(Duration::from_secs_f64(0.5));", &[(2, Low)]);
    run("sleep(Duration::from_millis(99));", &[]);
    run("sleep(timeout);", &[]);
    run("\ntokio::spawn(async {\n  sleep(Duration::from_secs(1)).await;\n});", &[]);
    run("\nrt.block_on(async {\n  sleep(Duration::from_secs(1)).await;\n});", &[(4, Low)]);
    run("let timeout = async {\n  sleep(Duration::from_secs(1)).await;\n};", &[]);
    run("\nfor _ in 0..9 {\n  if ready() {\n    break;\n  }\n  sleep(Duration::from_secs(1));\n}", &[]);
    run("\nfor _ in 0..9 {\n  sleep(Duration::from_secs(1));\n}", &[(4, Low)]);
    run("tokio::time::pause(); sleep(Duration::from_secs(1)).await;", &[]);
    run("let a = \"sleep(Duration::from_secs(1))\";", &[]);
    check(&RULE, "src/a.rs", "fn a() { sleep(Duration::from_secs(1)); }\n", &[]);
}

#[test]
fn python() {
    let run = |body: &str, expected: &[_]| check(&RULE, "test_a.py", &format!("def test_a():\n    {body}\n"), expected);
    run("time.sleep(1)", &[(2, Low)]);
    run("await asyncio.sleep(0.25)", &[(2, Low)]);
    run("time.sleep(.05)", &[]);
    run("asyncio.sleep(0)", &[]);
    run("time.sleep(interval)", &[]);
    run("while not ready():\n        time.sleep(1)", &[]);
    run("for i in range(9):\n        time.sleep(1)", &[(3, Low)]);
    run("while True:\n        time.sleep(1)\n        if ready():\n            break", &[]);
    run("self.delay(3, 'v1')", &[]);
    run("sleeping.delay(2)", &[]);
    run("def slow():\n        time.sleep(1)\n    run(slow)", &[]);
    run("with pytest.raises(Late):\n        time.sleep(1)", &[]);
    run("with cart():\n        time.sleep(1)", &[(3, Low)]);
    run("await wait_for(asyncio.sleep(1), 2)", &[]);
    run("time.sleep(1)\n    assert len(cart.items) == 0", &[]);
    run("time.sleep(1)\n    assert len(cart.items) == 2", &[(2, Low)]);
    run("time.sleep(1)  # clocks of files count seconds\n    cart.save()", &[]);
    run("time.sleep(1)\n    os.utime(cart.path)", &[]);
    check(&RULE, "test_a.py", "def test_cart_back_off():\n    time.sleep(1)\n", &[]);
    check(&RULE, "test_a.py", "def test_cart_back():\n    time.sleep(1)\n", &[(2, Low)]);
    check(&RULE, "test_a.py", "def test_stale_carts():\n    time.sleep(1)\n", &[]);
    check(&RULE, "test_a.py", "def test_ignore_sold():\n    time.sleep(1)\n", &[]);
    run("time.sleep(1)\n    assert not cart.is_paid()", &[]);
    run("time.sleep(1)\n    assert cart.is_paid()", &[(2, Low)]);
    run("start = now()\n    time.sleep(1)\n    assert timed.elapsed() > 1", &[]);
    check(&RULE, "test_a.py", "def test_debounce():\n    time.sleep(1)\n", &[]);
    check(&RULE, "test_throttling.py", "def test_a():\n    time.sleep(1)\n", &[]);
    check(&RULE, "test_a.py", "import time_machine\ntime.sleep(1)\n", &[]);
    check(&RULE, "a.py", "time.sleep(1)\n", &[]);
}

#[test]
fn go() {
    let run = |path: &str, name: &str, body: &str, expected: &[_]| {
        check(&RULE, path, &format!("package a\nfunc {name}(t *testing.T) {{ {body} }}\n"), expected);
    };
    run("a_test.go", "TestA", "time.Sleep(100 * time.Millisecond)", &[(2, Low)]);
    run("a_test.go", "TestA", "time.Sleep(time.Second)", &[(2, Low)]);
    run("a_test.go", "TestA", "time.Sleep(50 * time.Millisecond)", &[]);
    run("a_test.go", "TestA", "time.Sleep(wait)", &[]);
    run("a_test.go", "TestA", "time.Sleep(n * time.Second)", &[]);
    run("a_test.go", "TestA", "\nfor !ready() {\n\ttime.Sleep(time.Second)\n}", &[]);
    run("a_test.go", "TestA", "\nfor i := 0; i < 9; i++ {\n\ttime.Sleep(time.Second)\n}", &[(4, Low)]);
    run("a_test.go", "slowly", "time.Sleep(time.Second)", &[]);
    run("race/testdata/a_test.go", "TestA", "time.Sleep(time.Second)", &[]);
    run("a_test.go", "TestA", "\ngo func() {\n\t// Simulate work.\n\ttime.Sleep(time.Second)\n}()", &[]);
    run("a_test.go", "TestA", "\ngo func() {\n\t// Let it work.\n\ttime.Sleep(time.Second)\n}()", &[]);
    run("a_test.go", "TestA", "\nt.Run(\"a\", func(t *testing.T) {\n\ttime.Sleep(time.Second)\n})", &[(4, Low)]);
    run("a_test.go", "TestA", "// Simulate work.\ntime.Sleep(time.Second)", &[]);
    run("a_test.go", "TestA", "// Let it work.\ntime.Sleep(time.Second)", &[(3, Low)]);
    run("a_test.go", "TestA", "// Wait before sending the rest.\ntime.Sleep(time.Second)", &[]);
    run("a_test.go", "TestA", "// There should be no commits.\ntime.Sleep(time.Second)", &[]);
    run("a_test.go", "TestA", "// There should be commits.\ntime.Sleep(time.Second)", &[(3, Low)]);
    let serve = "\nserve(func(w http.ResponseWriter, r *http.Request) {\n\ttime.Sleep(time.Second)\n})";
    run("a_test.go", "TestA", serve, &[]);
    run("a_test.go", "TestTicker", "time.Sleep(time.Second)", &[]);
    run("a_test.go", "TestTicket", "time.Sleep(time.Second)", &[(2, Low)]);
    run("a_test.go", "TestA", "\ntime.Sleep(time.Second)\n// No more commits.\ncheck(t)", &[]);
    run("a_test.go", "TestA", "\ntime.Sleep(time.Second)\n// Commits by now.\ncheck(t)", &[(3, Low)]);
    run("a_test.go", "TestA", "\nif a() {\ntime.Sleep(time.Second)\ngoto AGAIN\n}", &[]);
    run("a_test.go", "TestA", "\ntime.Sleep(time.Second)\ntook := time.Since(start)", &[]);
    run("a_test.go", "BenchmarkA", "time.Sleep(time.Second)", &[]);
    run("a_test.go", "TestA", "synctest.Wait(); time.Sleep(time.Second)", &[]);
    run("a.go", "f", "time.Sleep(time.Second)", &[]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.test.js", "a.spec.ts", "a.test.tsx"] {
        let run = |body: &str, expected: &[_]| {
            check(&RULE, path, &format!("it('a', async () => {{\n{body}\n}})\n"), expected)
        };
        run("await new Promise(done => setTimeout(done, 500))", &[(2, Low)]);
        run("await page.waitForTimeout(1_000)", &[(2, Low)]);
        run("await sleep(99)", &[]);
        run("setTimeout(done, wait)", &[]);
        run("jest.useFakeTimers(); await sleep(500)", &[]);
        run("await new Promise((done) => {\n  setTimeout(done, 500)\n})", &[(3, Low)]);
        run("setTimeout(() => { expect(a()).toBe(1); done() }, 500)", &[]);
        run("const timer = setTimeout(stop, 500)\nclearTimeout(timer)", &[]);
        run("app.get('/', async () => {\n  await new Promise(done => setTimeout(done, 500))\n})", &[]);
        run("app.get('/', async () => {\n  await sleep(500)\n})", &[]);
        run("await step('/', 1)\nawait sleep(500)", &[(3, Low)]);
        run("element.delay(500)", &[]);
        run("await sleep(500)\nexpect(spy).not.toHaveBeenCalled()", &[]);
        run("await sleep(500)\nexpect(spy).toHaveBeenCalled()", &[(2, Low)]);
    }
    check(&RULE, "a.js", "setTimeout(done, 500)\n", &[]);
    let own = |from: &str| {
        format!("var test = require('{from}');\ntest('a', async function (t) {{\n  await sleep(500);\n}});\n")
    };
    check(&RULE, "test/a.js", &own("tape"), &[(3, Low)]);
    check(&RULE, "test/a.js", &own("../"), &[]);
}

#[test]
fn java_and_cpp() {
    let java = |path: &str, body: &str, expected: &[_]| {
        check(&RULE, path, &format!("class A {{\n@Test void a() {{ {body} }}\n}}\n"), expected);
    };
    java("ATest.java", "Thread.sleep(500);", &[(2, Low)]);
    java("ATest.java", "Thread.sleep(1_000L * 2);", &[]);
    java("ATest.java", "Thread.sleep(50);", &[]);
    java("ATest.java", "time.sleep(500);", &[]);
    java("ATest.java", "\nmock.when(() -> {\n  Thread.sleep(500);\n});", &[]);
    java("ATest.java", "\ntry {\n  Thread.sleep(500);\n} catch (InterruptedException e) {}", &[(4, Low)]);
    java("ATest.java", "java.lang.Thread.sleep(500);", &[(2, Low)]);
    java("ATest.java", "Thread.sleep(wait);", &[]);
    java("A.java", "Thread.sleep(100);", &[]);
    let cpp = |body: &str, expected: &[_]| check(&RULE, "a_test.cc", &format!("TEST(A, b) {{ {body} }}\n"), expected);
    cpp("std::this_thread::sleep_for(std::chrono::milliseconds(200));", &[(1, Low)]);
    cpp("std::this_thread::sleep_for(std::chrono::seconds(1));", &[(1, Low)]);
    cpp("std::this_thread::sleep_for(std::chrono::milliseconds(20));", &[]);
    cpp("std::this_thread::sleep_for(wait);", &[]);
    cpp("std::this_thread::sleep_for(std::chrono::milliseconds(wait * 1000));", &[]);
    cpp("// sleep_for(std::chrono::seconds(1));", &[]);
}

#[test]
fn languages_read_by_outline() {
    // Path, text around a sleep, sleeps that are too long, and others.
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "ATests.cs",
            "class A {\n[Fact] public void T() { ~; }\n}\n",
            &["Thread.Sleep(500)", "Task.Delay(TimeSpan.FromSeconds(1))"],
            &["Thread.Sleep(20)", "Thread.Sleep(wait)", "F(\"Thread.Sleep(500)\")"],
        ),
        (
            "spec/a_spec.rb",
            "it 'a' do\n  ~\nend\n",
            &["sleep 1", "sleep(0.5)", "Kernel.sleep 2"],
            &["sleep 0.01", "sleep wait", "run 'sleep 1'"],
        ),
        (
            "tests/a.php",
            "<?php class ATest extends TestCase { function testA() {\n~;\n} }\n",
            &["sleep(1)", "\\sleep(2)"],
            &["usleep(10)", "sleep($wait)", "run('sleep(1)')"],
        ),
        (
            "ATest.kt",
            "class A {\n@Test fun a() { ~ }\n}\n",
            &["Thread.sleep(500)", "delay(1_000)"],
            &["delay(20)", "delay(wait)", "f(\"delay(500)\")"],
        ),
        (
            "Tests/a.swift",
            "class A: XCTestCase { func testA() {\n~\n} }\n",
            &["sleep(1)", "sleep(2)"],
            &["sleep(wait)", "usleep(10)", "f(\"sleep(1)\")"],
        ),
        (
            "a.bats",
            "@test a {\n  ~\n}\n",
            &["sleep 1", "sleep 0.5"],
            &["sleep 0.01", "sleep \"$wait\"", "echo 'sleep 1'", "sleep 1 &"],
        ),
    ];
    for (path, around, long, fine) in cases {
        let of = |line: &str| around.replace('~', line);
        for line in *long {
            check(&RULE, path, &of(line), &[(2, Low)]);
        }
        for line in *fine {
            check(&RULE, path, &of(line), &[]);
        }
    }
}

#[test]
fn names_say_that_nothing_is_to_happen() {
    let run = |name: &str, expected: &[_]| {
        let body = "run()\n\ttime.Sleep(time.Second)\n\tlook(t)";
        check(&RULE, "a_test.go", &format!("package a\nfunc Test{name}(t *testing.T) {{\n\t{body}\n}}\n"), expected);
    };
    for name in ["SkipsEmptyCarts", "PaysOnlyOnce", "TotalUnchanged", "CartDoesNotPay", "NeverPays"] {
        run(name, &[]);
    }
    for name in ["Cart", "CartDoesNotSkipItems", "NotFound", "OnceMore", "Skipper"] {
        run(name, &[(4, Low)]);
    }
}

#[test]
fn a_listener_that_fails_is_to_be_silent() {
    let run = |listener: &str, after: &str, expected: &[_]| {
        let body = format!("cart.Listen(func() {{\n\t\t{listener}\n\t}})\n\ttime.Sleep(time.Second)\n{after}");
        check(&RULE, "a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n\t{body}}}\n"), expected);
    };
    run("t.Error(\"paid\")", "", &[]);
    run("t.Error(\"paid\")", "\tlook(t)\n", &[(6, Low)]);
    run("count++", "", &[(6, Low)]);
    let checked = "if err != nil {\n\t\tt.Fatal(err)\n\t}\n\ttime.Sleep(time.Second)\n";
    check(&RULE, "a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n\t{checked}}}\n"), &[(6, Low)]);
}

#[test]
fn slow_senders_and_expiry_are_waited_for() {
    let run = |body: &str, expected: &[_]| check(&RULE, "test_a.py", &format!("def test_a():\n    {body}\n"), expected);
    run("sock.sendall(a)\n    time.sleep(1)\n    sock.sendall(b)", &[]);
    run("sock.sendall(a)\n    time.sleep(1)\n    other.sendall(b)", &[(3, Low)]);
    run("cart.add(a)\n    time.sleep(1)\n    cart.add(b)", &[(3, Low)]);
    run("# wait until the price expires\n    time.sleep(1)\n    look()", &[]);
    run("# wait until the price comes\n    time.sleep(1)\n    look()", &[(3, Low)]);
    check(&RULE, "test_a.py", "@pytest.mark.skip\ndef test_a():\n    time.sleep(1)\n", &[]);
}

/// Checks `body` as that of a test of Go, where it begins on the third line.
#[track_caller]
fn go_test(body: &str, expected: &[(u32, schemas::severity::Severity)]) {
    check(&RULE, "a_test.go", &format!("package a\nfunc TestA(t *testing.T) {{\n{body}\n}}\n"), expected);
}

#[test]
fn a_loop_of_go_may_ask_for_the_same_before_each_turn() {
    go_test("for a := run(); a != nil; a = run() {\n\ttime.Sleep(time.Second)\n}", &[]);
    go_test("for a := run(); a != nil; a = a.Next() {\n\ttime.Sleep(time.Second)\n}", &[(4, Low)]);
}

#[test]
fn what_people_run_by_hand_may_take_its_time() {
    go_test("if !*manual {\n\tt.Skip()\n}\ntime.Sleep(time.Second)", &[]);
    go_test("if *fast {\n\tt.Skip(\"run manually\")\n}\ntime.Sleep(time.Second)", &[]);
    go_test("if testing.Short() {\n\tt.Skip()\n}\ntime.Sleep(time.Second)", &[(6, Low)]);
    go_test("if *manual {\n\trun()\n}\ntime.Sleep(time.Second)", &[(6, Low)]);
}

#[test]
fn comments_say_that_stamps_are_to_differ() {
    go_test("// One is older.\ntime.Sleep(time.Second)", &[]);
    go_test("// The next is more recent.\ntime.Sleep(time.Second)", &[]);
    go_test("// The most recent.\ntime.Sleep(time.Second)", &[(4, Low)]);
}
