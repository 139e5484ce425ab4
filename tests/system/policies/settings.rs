//! Setting push policies, over the API and on the command line.

use serde_json::json;
use tests::stack::Stack;

use crate::stops::{project, without_workers};

/// Exit code and output of `elder policy`.
async fn policy(stack: &Stack, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let run = stack.run(name, [&["policy"], arguments].concat()).start().await;
    (run.exited().await.code(), run.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_kept_in_order_and_bad_ones_are_refused_with_a_reason() {
    let stack = without_workers().await;
    project(&stack, "shop").await;
    let path = "/api/v1/projects/shop/push-policies";
    assert_eq!(stack.api().get(path).await.expect(200), json!([]));

    let set = ["set", "shop", "main=run_all", "release/*=coalesce", "a=b=supersede"];
    let (code, said) = policy(&stack, "set", &set).await;
    assert_eq!(code, Some(0), "{said}");
    let listed = ["run_all     main", "coalesce    release/*", "supersede   a=b", "supersede   every other branch"];
    assert!(said.contains(&listed.join("\n")), "{said}");
    let kept = json!([
        {"pattern": "main", "policy": "run_all"},
        {"pattern": "release/*", "policy": "coalesce"},
        {"pattern": "a=b", "policy": "supersede"},
    ]);
    assert_eq!(stack.api().get(path).await.expect(200), kept);

    let many = vec![json!({"pattern": "x", "policy": "run_all"}); 101];
    for (body, said) in [
        (json!([{"pattern": "[", "policy": "run_all"}]), "pattern `[`"),
        (json!([{"pattern": "", "policy": "run_all"}]), "1 to 255 bytes"),
        (json!([{"pattern": "x", "policy": "always"}]), "always"),
        (json!([{"pattern": "x", "policy": "run_all", "order": 1}]), "order"),
        (json!(many), "at most 100"),
        (json!({}), "not valid"),
    ] {
        let answer = stack.api().put(path, &body).await.expect(400);
        assert!(answer["error"].as_str().unwrap().contains(said), "{answer}");
    }
    assert_eq!(stack.api().get(path).await.expect(200), kept, "what was refused changed nothing");
    stack.api().anonymous().put(path, &json!([])).await.expect(401);
    stack.api().get("/api/v1/projects/nowhere/push-policies").await.expect(404);
    let (code, said) = policy(&stack, "nowhere", &["show", "nowhere"]).await;
    assert_eq!((code, said.contains("there is no project `nowhere`")), (Some(1), true), "{said}");
    let (code, said) = policy(&stack, "unset", &["set", "shop"]).await;
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");
    assert_eq!(stack.api().get(path).await.expect(200), json!([]));
}
