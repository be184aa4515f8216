//! What must happen once: its result belongs to the invocation, through all its attempts, and to no other.
mod engine_kit;

use engine_kit::{Flow, Host, attempts, takes};
use stepstream::engine::{InvocationId, Step, StepId};
use stepstream::error::Code;

fn result(run: &Host, by: InvocationId, key: &str) -> Option<String> {
    run.engine.once(by, key).map(|slot| run.payload(slot))
}

/// A run with two invocations of a step that is tried again.
fn two_at_work() -> (Host, StepId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let fan = flow.step(&[start], &[a]);
    let step = flow.add(Step { retry: attempts(9, 0), ..takes(&[a], &[stop]) });
    let mut run = flow.run();
    let call = run.call(fan);
    run.send_from(&call, a, "one");
    run.send_from(&call, a, "two");
    (run, step)
}

#[test]
fn the_first_result_counts() {
    let (mut run, step) = two_at_work();
    let id = run.calls(step)[0].id;
    assert_eq!(result(&run, id, "charge"), None);
    run.try_once(id, "charge", "receipt").unwrap();
    let kept = run.kept_payloads();
    run.try_once(id, "charge", "another").unwrap();
    assert_eq!(result(&run, id, "charge").as_deref(), Some("receipt"));
    assert_eq!(run.kept_payloads(), kept, "the other one is let go of");
    run.try_once(id, "ship", "parcel").unwrap();
    assert_eq!(result(&run, id, "ship").as_deref(), Some("parcel"));
}

#[test]
fn each_invocation_has_results_of_its_own() {
    let (mut run, step) = two_at_work();
    let [one, two] = [0, 1].map(|nth| run.calls(step)[nth].id);
    run.try_once(one, "charge", "receipt").unwrap();
    assert_eq!(result(&run, two, "charge"), None);
}

#[test]
fn another_attempt_is_given_the_result() {
    let (mut run, step) = two_at_work();
    let call = run.calls(step)[0].clone();
    run.try_once(call.id, "charge", "receipt").unwrap();
    run.fail(&call);
    assert_eq!(result(&run, call.id, "charge"), None, "that attempt is over");
    assert_eq!(run.try_once(call.id, "charge", "late"), Err(Code::AttemptEnded));
    let again = run.calls(step).into_iter().find(|again| again.inputs == call.inputs).unwrap();
    assert_eq!(result(&run, again.id, "charge").as_deref(), Some("receipt"));
}

#[test]
fn results_go_with_the_invocation() {
    let (mut run, step) = two_at_work();
    let before = run.kept_payloads();
    let call = run.calls(step)[0].clone();
    run.try_once(call.id, "charge", "receipt").unwrap();
    run.finish_empty(&call);
    assert_eq!(run.kept_payloads(), before - 1, "the result, and the event");
}
