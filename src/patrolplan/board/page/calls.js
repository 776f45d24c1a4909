// Calls to the board's own program on this machine.

const token = document.querySelector("meta[name=patrolplan-token]").content;

/** Ask or tell; the answer's status and body, status 0 when nobody answers. */
const call = async (method, path, body) => {
  try {
    const answer = await fetch(path, {
      method,
      headers: {
        "X-Patrolplan-Token": token,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : {} };
  } catch {
    const problem = "the board's program does not answer. Start it again with patrolplan board; what was saved is safe";
    return { status: 0, body: { problem } };
  }
};

/** Ask for something. */
export const ask = (path) => call("GET", path);

/** Send something. */
export const tell = (path, body = {}) => call("POST", path, body);

/** Address of a printed paper. */
export const paperAddress = (href) => `${href}?token=${encodeURIComponent(token)}`;
