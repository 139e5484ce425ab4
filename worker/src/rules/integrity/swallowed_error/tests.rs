//! Errors that vanish, and those that may.

use super::RULE;
use crate::rules::testing::check;
use schemas::severity::Severity::{High, Low};

#[test]
fn rust() {
    let run = |body: &str, expected: &[_]| check(&RULE, "src/a.rs", &format!("fn a() {{\n{body}\n}}\n"), expected);
    run("b.save().ok();", &[(2, High)]);
    run("if let Err(_) = b.save() {}", &[(2, High)]);
    run("if let Err(error) = b.save() {\n}", &[(2, High)]);
    run("b.close().ok();", &[]);
    run("b.print().ok();", &[]);
    run("dotenv().ok();", &[]);
    run("b.send(c).ok();", &[]);
    run("b.save().ok(); // the next run saves it again", &[]);
    run("let _ = b.save();", &[(2, Low)]);
    run("if let Err(_) = b.save() {\n// the next run saves it again\n}", &[]);
    run("if let Err(_) = b.save() {\n// TODO: what to do with this one\n}", &[(2, Low)]);
    run("if let Err(_) = b.save() {\n// ignore\n}", &[]);
    run("if let Err(Error::Closed) = b.save() {}", &[]);
    run("let _ = write_row(b);", &[(2, Low)]);
    run("let _ = std::mem::replace(&mut b, c);", &[]);
    run("let _ = seen.insert(b);", &[]);
    run("let c = b.save().ok();", &[]);
    run("b.save().ok()", &[]);
    run("let _ = b.save()?;", &[]);
    run("let _guard = b.save();", &[]);
    run("// the next run saves it again\nlet _ = b.save();", &[]);
    run("let _ = b.close();", &[]);
    run("if let Err(error) = b.save() { warn(error) }", &[]);
    run("let c = \"b.save().ok();\"; // b.save().ok();", &[]);
    check(&RULE, "tests/a.rs", "fn a() { b.save().ok(); let _ = b.save(); b.send(c).ok(); }\n", &[]);
}

#[test]
fn python() {
    let of = |kind: &str, body: &str| format!("try:\n    save()\nexcept{kind}:\n    {body}\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.py", text, expected);
    run(&of("", "pass"), &[(3, High)]);
    run(&of(" Exception as e", "..."), &[(3, High)]);
    run(&of(" (KeyError, Exception)", "pass"), &[(3, High)]);
    run(&of("", "pass").replace("save()", "return load()"), &[]);
    run(&of("", "pass").replace("save()", "a = load()"), &[]);
    run(&of("", "pass").replace("save()", "check(a == load())"), &[(3, High)]);
    run(&of("", "pass").replace("save()", "save(a, sync=True)"), &[(3, High)]);
    run(&of(" OSError", "pass"), &[(3, Low)]);
    run(&of(" OSError", "pass").replace("save", "chmod"), &[]);
    run(&of(" Error", "pass"), &[]);
    run(&of(" OSError", "pass").replace("save()", "return load()"), &[]);
    run(&format!("{}else:\n    log()\n", of(" Exception", "pass")), &[]);
    run(&of(" KeyError", "pass"), &[]);
    run(&of(" (ValueError, binascii.Error)", "pass"), &[]);
    run(&of(" Exception", "pass  # saved again by the next run"), &[]);
    run(&of(" Exception", "# saved again by the next run\n    pass"), &[]);
    run(&of(" Exception", "pass  # ignore"), &[]);
    run(&of(" Exception", "pass  # TODO: log it"), &[(3, Low)]);
    run(&of("", "pass").replace("save", "sock.close"), &[]);
    run("def close():\n    try:\n        save()\n    except Exception:\n        pass\n", &[]);
    run(&of(" KeyError", "pass  # saved again by the next run"), &[]);
    run(&of(" Exception", "log()"), &[]);
    run(&of(" Exception", "raise"), &[]);
    run(&of(" Exception", "return"), &[]);
    run("'''\ntry: save()\nexcept: pass\n'''\n", &[]);
    check(&RULE, "tests/test_a.py", &of("", "pass"), &[]);
}

#[test]
fn go() {
    let run = |body: &str, expected: &[_]| {
        check(&RULE, "a.go", &format!("package a\nfunc a() {{\n{body}\n}}\n"), expected);
    };
    run("if err != nil {}", &[(3, High)]);
    run("if err := save(); err != nil {\n}", &[(3, High)]);
    run("if err := f.Close(); err != nil {\n}", &[]);
    run("if err != nil {\n// saved again by the next run\n}", &[]);
    run("_ = seen(b)", &[]);
    run("b, err := load()\nif err != nil {}", &[(4, High)]);
    run("_ = save()", &[(3, Low)]);
    run("_ = postRefreshUpdate(b)", &[]);
    run("_ = storeErr(b)", &[]);
    run("_ = executeTemplate(&buf, b)", &[]);
    run("_ = executeTemplate(b)", &[(3, Low)]);
    run("_ = c.writeMessage(b)", &[]);
    run("_ = c.writeRow(b)", &[(3, Low)]);
    run("_ = save()\nreturn fmt.Errorf(b)", &[]);
    run("_ = save()\nreturn b", &[(3, Low)]);
    run("if err != nil {\nreturn\n}", &[]);
    run("if err == nil {\n}", &[]);
    run("if rows != nil {\n}", &[]);
    run("_ = f.Close()", &[]);
    run("_ = save() // saved again by the next run", &[]);
    run("_ = unused", &[]);
    run("b, _ := save()", &[]);
}

#[test]
fn javascript_and_typescript() {
    for path in ["a.js", "a.ts", "a.tsx"] {
        let run = |text: &str, expected: &[_]| check(&RULE, path, text, expected);
        run("try { save(); } catch (e) {}\n", &[(1, High)]);
        run("try {\n save();\n} catch {\n}\n", &[(3, High)]);
        run("try { save(); } catch (e) { ; }\n", &[(1, High)]);
        run("try { save(); } catch {\n // saved again by the next run\n}\n", &[]);
        run("try { save(); } catch {\n // ignore\n}\n", &[]);
        run("try {\n return load();\n} catch (e) {}\n", &[]);
        run("try { a = load(); } catch (e) {}\n", &[]);
        run("try {\n  a = load(`${b}`).c();\n} catch (e) {}\n", &[]);
        run("try {\n  load(`${b}`).c();\n} catch (e) {}\n", &[(3, High)]);
        run("function a() { try { return load(); } catch (e) {}\n return 0; }\n", &[]);
        run("// what cannot be saved is loaded again\ntry {\n save();\n} catch (e) {}\n", &[]);
        run("load(); // what cannot be saved is loaded again\ntry {\n save();\n} catch (e) {}\n", &[(4, High)]);
        run("try {\n save();\n // what cannot be saved is loaded again\n} catch (e) {}\n", &[]);
        run("try { if (b) { return true; } } catch (e) {}\n", &[]);
        run("try { await sock.close(); } catch {}\n", &[]);
        run("class A { dispose() { try { save(); } catch {} } }\n", &[]);
        run("try { save(); } catch (e) { log(e); }\n", &[]);
        run("try { save(); } catch (e) { return; }\n", &[]);
        run("try { save(); } finally {}\n", &[]);
        run("save().catch(log);\n", &[]);
        run("// try { save(); } catch (e) {}\n", &[]);
    }
    check(&RULE, "a.test.js", "try { save(); } catch (e) {}\n", &[]);
}

#[test]
fn java() {
    let of = |kind: &str, body: &str| {
        format!("class A {{ void a() {{\ntry {{ save(); }}\ncatch ({kind} e) {{ {body} }}\n}} }}\n")
    };
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.java", text, expected);
    run(&of("Exception", ""), &[(3, High)]);
    run(&of("IOException | Throwable", ""), &[(3, High)]);
    run(&of("IOException", ""), &[(3, Low)]);
    run(&of("Exception", "/* saved again by the next run */"), &[]);
    run(&of("NumberFormatException", ""), &[]);
    run(&of("Exception", "").replace("save", "file.close"), &[]);
    run(&of("IOException", "/* saved again by the next run */"), &[]);
    run(&of("IOException", "").replace("save", "file.close"), &[]);
    run(&of("Exception", "log.warn(e);"), &[]);
    run(&of("Exception", "return;"), &[]);
    run("class A { String a = \"try { save(); } catch (Exception e) {}\"; }\n", &[]);
    check(&RULE, "src/test/java/A.java", &of("Exception", ""), &[]);
}

#[test]
fn cpp() {
    let of = |kind: &str, body: &str| format!("void a() {{\ntry {{ save(); }}\ncatch ({kind}) {{ {body} }}\n}}\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "src/a.cc", text, expected);
    run(&of("...", ""), &[(3, High)]);
    run(&of("const std::exception& e", ""), &[(3, High)]);
    run(&of("const std::runtime_error&", ""), &[(3, Low)]);
    run(&of("const parse_error&", ""), &[]);
    run(&of("...", "// saved again by the next run\n"), &[]);
    run(&of("...", "").replace("save", "file.close"), &[]);
    run(&of("const parse_error&", "").replace("save", "file.close"), &[]);
    run(&of("...", "throw;"), &[]);
    run(&of("...", "warn();"), &[]);
    run("auto a = R\"(try { save(); } catch (...) {})\";\n", &[]);
}

#[test]
fn c() {
    let run = |body: &str, expected: &[_]| {
        check(&RULE, "src/a.c", &format!("void a(void) {{\n{body}\n}}\n"), expected);
    };
    run("(void)save(row);", &[(2, Low)]);
    run("(void) row->save(row);", &[(2, Low)]);
    run("(void)row_save(row);", &[(2, Low)]);
    run("(void)fclose(file);", &[]);
    run("(void)__sync_fetch_and_add(&row, 1);", &[]);
    run("(void)sync_rows(&row, 1);", &[(2, Low)]);
    run("(void)seen(row);", &[]);
    run("(void)printf(\"a\");", &[]);
    run("(void)unused;", &[]);
    run("(void)save(row); // saved again by the next run", &[]);
    run("save(row);", &[]);
}

#[test]
fn c_sharp() {
    let of = |catch: &str, body: &str| {
        format!("class A {{ void B() {{\ntry {{ save(); }}\ncatch {catch} {{ {body} }}\n}} }}\n")
    };
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.cs", text, expected);
    run(&of("", ""), &[(3, High)]);
    run(&of("(Exception)", ""), &[(3, High)]);
    run(&of("(System.Exception e)", ""), &[(3, High)]);
    run(&of("(IOException e)", ""), &[(3, Low)]);
    run(&of("", "/* saved again by the next run */"), &[]);
    run(&of("", "/* TODO: log it */"), &[(3, Low)]);
    run(&of("", "").replace("save", "file.Close"), &[]);
    run(&of("(IOException)", "/* saved again by the next run */"), &[]);
    run(&of("", "throw;"), &[]);
    run(&of("(Exception e)", "log.Warn(e);"), &[]);
    run("class A { string a = \"try { save(); } catch { }\"; }\n", &[]);
    check(&RULE, "tests/A.cs", &of("", ""), &[]);
}

#[test]
fn php() {
    let of = |kind: &str, body: &str| format!("<?php\ntry {{ save(); }}\ncatch ({kind} $e) {{ {body} }}\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.php", text, expected);
    run(&of("\\Exception", ""), &[(3, High)]);
    run(&of("RowError | \\Throwable", ""), &[(3, High)]);
    run(&of("RowError", ""), &[]);
    run(&of("RuntimeException", ""), &[(3, Low)]);
    run(&of("Exception", "// saved again by the next run\n"), &[]);
    run(&of("Exception", "// TODO: log it\n"), &[(3, Low)]);
    run("<?php\n@save($row);\n", &[(2, Low)]);
    run(&of("RowError", "# saved again by the next run\n"), &[]);
    run(&of("RuntimeException", "").replace("save", "$file->close"), &[]);
    run(&of("Exception", "throw $e;"), &[]);
    run("<?php\n@unlink($path);\n$a = @file($path);\n$b = '@save()';\n", &[]);
    check(&RULE, "tests/A.php", &of("Exception", ""), &[]);
}

#[test]
fn ruby() {
    let of = |kind: &str, body: &str| format!("begin\n  save\nrescue{kind}\n{body}\nend\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "lib/a.rb", text, expected);
    run(&of("", ""), &[(3, High)]);
    run(&of(" StandardError => e", "  nil"), &[(3, High)]);
    run("def a\n  save\nrescue Exception\nend\n", &[(3, High)]);
    run(&of(" IOError", ""), &[(3, Low)]);
    run(&of("", "  # saved again by the next run"), &[]);
    run(&of("", "  # TODO: log it"), &[(3, Low)]);
    run("row = save rescue nil\n", &[(1, Low)]);
    run(&of(" IOError", "  # saved again by the next run"), &[]);
    run(&of(" IOError", "").replace("save", "file.close"), &[]);
    run(&of(" => e", "  warn e"), &[]);
    run("def a\n  save\nrescue => e\nend\n", &[(3, High)]);
    run("begin\n  save\nrescue => e\nend\nraise e if e\n", &[]);
    run("row = save rescue default\nfile.close rescue nil\na = 'rescue nil'\n", &[]);
    check(&RULE, "spec/a_spec.rb", &of("", ""), &[]);
}

#[test]
fn kotlin() {
    let of = |kind: &str, body: &str| format!("fun a() {{\ntry {{ save() }}\ncatch (e: {kind}) {{ {body} }}\n}}\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "src/A.kt", text, expected);
    run(&of("Exception", ""), &[(3, High)]);
    run(&of("Throwable", ""), &[(3, High)]);
    run(&of("IOException", ""), &[(3, Low)]);
    run(&of("Exception", "/* saved again by the next run */"), &[]);
    run(&of("Exception", "/* TODO: log it */"), &[(3, Low)]);
    run(&of("IOException", "/* saved again by the next run */"), &[]);
    run(&of("IOException", "").replace("save", "file.close"), &[]);
    run(&of("Exception", "log.warn(e)"), &[]);
    run("val a = \"try { save() } catch (e: Exception) {}\"\n", &[]);
    check(&RULE, "src/test/kotlin/A.kt", &of("Exception", ""), &[]);
}

#[test]
fn swift() {
    let of = |pattern: &str, body: &str| format!("func a() {{\ndo {{ try save() }}\ncatch{pattern} {{ {body} }}\n}}\n");
    let run = |text: &str, expected: &[_]| check(&RULE, "Sources/A.swift", text, expected);
    run(&of("", ""), &[(3, High)]);
    run(&of(" let error", ""), &[(3, High)]);
    run(&of(" let error as RowError", ""), &[]);
    run(&of("", "/* saved again by the next run */"), &[]);
    run(&of("", "/* TODO: log it */"), &[(3, Low)]);
    run("func a() {\n  try? save()\n}\n", &[(2, Low)]);
    run("func a() {\n  _ = try? save()\n}\n", &[(2, Low)]);
    run(&of(" is RowError", "/* saved again by the next run */"), &[]);
    run(&of(" RowError.closed", "").replace("try save", "try file.close"), &[]);
    run(&of("", "log(error)"), &[]);
    run("func a() {\n  try? file.close()\n  let b = try? save()\n  let c = \"try? save()\"\n}\n", &[]);
    check(&RULE, "Tests/A.swift", &of("", ""), &[]);
}

#[test]
fn what_tests_read_is_as_odd_as_they_want_it() {
    const TEXT: &str = "try:\n    save()\nexcept:\n    pass\n";
    check(&RULE, "src/data/a.py", TEXT, &[(3, High)]);
    check(&RULE, "tests/data/cases/a.py", TEXT, &[]);
}
