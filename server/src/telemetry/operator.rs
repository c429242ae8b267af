//! Which operator answers a request: noted where it becomes known, read when the request was answered.

use std::future::Future;
use std::sync::OnceLock;

tokio::task_local! {
    static ANSWERS: OnceLock<String>;
}

/// Notes the operator of the request that is being answered. The id is one of the registry, never one that a client made up.
pub(crate) fn note(id: &str) {
    // Outside a request, and in a task that a request has started, there is nothing to note it in.
    let _ = ANSWERS.try_with(|cell| cell.set(id.to_owned()));
}

/// Runs a request, and says which operator was noted.
pub(crate) async fn noted<T>(request: impl Future<Output = T>) -> (T, Option<String>) {
    let observed = async {
        let answer = request.await;
        (answer, ANSWERS.try_with(|cell| cell.get().cloned()).ok().flatten())
    };
    ANSWERS.scope(OnceLock::new(), observed).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_operator_of_a_request_counts_and_requests_do_not_see_each_other() {
        note("outside/1");
        let request = |id: &'static str| async move {
            note(id);
            tokio::task::yield_now().await;
            note("later/1");
        };
        let (first, second) = tokio::join!(noted(request("a/1")), noted(request("b/1")));
        assert_eq!((first.1.as_deref(), second.1.as_deref()), (Some("a/1"), Some("b/1")));
        assert_eq!(noted(async {}).await.1, None);
    }
}
