// Where the compiler's library knows `Symbol.dispose`, a run is disposable, with data and without.
import { Workflow } from "stepstream";

{
  using run = new Workflow<string>().run(1, "data");
  using lacking = new Workflow<string>().run(1);
  const all: Disposable[] = [run, lacking];
  void all;
}
