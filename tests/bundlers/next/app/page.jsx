// The page: rendered on the server, with a component that the browser runs.
import { Client } from "./client.jsx";

export default function Page() {
  return <Client />;
}
