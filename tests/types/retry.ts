// Retry policies compose, and only out of their own parts.
import {
  type ExponentialOptions,
  type RetryCondition,
  type RetryFunction,
  RetryPolicy,
  StopStrategy,
  ValidationError,
  WaitStrategy,
  retryAll,
  retryAny,
  retryIfErrorType,
  retryIfMessage,
  retryPolicy,
  retryUnlessErrorType,
  stopAfterAttempt,
  stopAfterDelay,
  stopAll,
  stopAny,
  stopNever,
  waitChain,
  waitExponential,
  waitFixed,
  waitFullJitter,
  waitIncrementing,
  waitRandom,
  waitSum,
} from "stepstream";
import { expectValue } from "./helpers.js";

const growing: ExponentialOptions = { initial: 0.5, factor: 3, max: 20 };
const policy = retryPolicy({
  retry: retryAny(retryIfErrorType(TypeError, RangeError), retryAll(retryIfMessage(/busy/), retryIfMessage("again"))),
  wait: waitChain(
    waitFixed(1),
    waitSum(waitExponential(growing), waitRandom({ min: 0, max: 1 })),
    waitFullJitter(growing),
    waitIncrementing({ initial: 1, step: 2, max: 9 }),
  ),
  stop: stopAny(stopAfterAttempt(5), stopAll(stopAfterDelay(60), stopNever)),
});
expectValue<RetryPolicy>()(policy);
expectValue<RetryCondition>()(retryUnlessErrorType(ValidationError));
expectValue<WaitStrategy>()(waitFixed(1));
expectValue<StopStrategy>()(stopNever);
expectValue<RetryPolicy>()(retryPolicy());

const own: RetryCondition = (error, attempt) => {
  expectValue<Error>()(error);
  expectValue<number>()(attempt);
  return attempt < 3;
};
retryPolicy({ retry: own });

const decide: RetryFunction = ({ error, attempt, elapsed }) => {
  expectValue<Error>()(error);
  return attempt + elapsed > 10 ? false : 0.5;
};
const giveUp: RetryFunction = () => undefined;

// What strategies and policies are made of is nobody's business.
// @ts-expect-error -- not public.
void waitFixed(1).numbers;
// @ts-expect-error -- not public.
void stopNever.numbers;
// @ts-expect-error -- not public.
void retryPolicy().condition;
// @ts-expect-error -- a stop is not a wait.
retryPolicy({ wait: stopNever });
// @ts-expect-error -- a wait is not a stop.
retryPolicy({ stop: waitFixed(1) });
// @ts-expect-error -- a wait among the stops.
stopAny(waitFixed(1));
// @ts-expect-error -- a number is not a wait.
waitChain(1);
// @ts-expect-error -- a string is not a duration.
waitFixed("1");
// @ts-expect-error -- a class that is not one of errors.
retryIfErrorType(Date);
// @ts-expect-error -- a misspelt option.
waitExponential({ initial: 1, base: 2 });
// @ts-expect-error -- a condition gives a boolean.
retryPolicy({ retry: () => "yes" });
// @ts-expect-error -- a delay is a number.
const wrong: RetryFunction = () => "1";
export { decide, giveUp, wrong };
