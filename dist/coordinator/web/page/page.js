// What is shown: all runs at #/, one at #/run/NAME. Follows it live while the page is seen.
import * as api from "./api.js";
import { setText } from "./dom.js";
import { RunView } from "./run_view.js";
import { RunsView } from "./runs_view.js";

const byId = (id) => document.getElementById(id);
const main = byId("main");
const kConnection = { connecting: "Connecting", live: "Live", lost: "Connection lost, trying again", away: "Paused" };

let view;
let following;  // an AbortController
let mayStop = false;

function showConnection(state) {
  const element = byId("connection");
  setText(element, kConnection[state]);
  element.dataset.state = state;
}

function showNotice(text) {
  setText(byId("notice"), text);
  byId("notice").hidden = !text;
}

async function learnAccess() {
  try {
    mayStop = api.hasToken() && (await api.get("api/access")).stopping;
  } catch (error) {
    mayStop = false;
    if (error.status === 401) {
      api.useToken("");
    }
  }
  setText(byId("access"), api.hasToken() ? "Forget token" : "Enter token");
  if (view?.run) {
    view.render();
  }
}

async function followView() {
  following?.abort();
  const mine = new AbortController();
  following = mine;
  const followed = view;
  showConnection("connecting");
  try {
    await api.follow(followed.path, {
      signal: mine.signal,
      onState: (state) => mine.signal.aborted || showConnection(state),
      onEvent: (name, data) => {
        followed.onEvent(name, data);
        document.title = `${followed.title} · convoy`;
      },
    });
  } catch (error) {
    if (mine.signal.aborted) {
      return;
    }
    showConnection("lost");
    if (error.status === 401) {
      api.useToken("");
      await learnAccess();
      askForToken("This coordinator shows its runs only to those who have its token.");
    } else {
      showNotice(error.message);
    }
  }
}

function showView() {
  view?.close();
  showNotice("");
  const run = location.hash.match(/^#\/run\/([^/]+)$/);
  const options = { mayStop: () => mayStop, onStop: askToStop };
  view = run ? new RunView(decodeURIComponent(run[1]), options) : new RunsView();
  main.replaceChildren(view.element);
  document.title = `${view.title} · convoy`;
  scrollTo(0, 0);
  followView();
}

/** Opens a dialog; submit(form) may throw an error, which is shown in it. */
function openDialog(dialog, submit) {
  const form = dialog.querySelector("form");
  const error = dialog.querySelector(".error");
  setText(error, "");
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await submit();
      dialog.close();
    } catch (failure) {
      setText(error, failure.message);
    }
  };
  dialog.querySelector("[value=cancel]").onclick = () => dialog.close();
  dialog.showModal();
}

function askForToken(why) {
  const input = byId("token-text");
  input.value = "";
  if (why) {
    setText(byId("token-why"), `${why} It is kept until this tab is closed.`);
  }
  openDialog(byId("token"), async () => {
    api.useToken(input.value.trim());
    try {
      await api.get("api/access");
    } catch (failure) {
      api.useToken("");
      throw failure;
    }
    input.value = "";
    showNotice("");
    await learnAccess();
    followView();
  });
}

function askToStop(run) {
  byId("stop-reason").value = "";
  openDialog(byId("stop"), () => api.stopRun(run, byId("stop-reason").value.trim() || "stopped on the page"));
}

byId("access").addEventListener("click", async () => {
  if (api.hasToken()) {
    api.useToken("");
    await learnAccess();
    followView();
  } else {
    askForToken();
  }
});
addEventListener("hashchange", (event) => {
  if (location.hash === "#main") {
    history.replaceState(null, "", event.oldURL);
    main.focus();
  } else {
    showView();
  }
});
// Nobody looks: leave the coordinator alone.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    following?.abort();
    showConnection("away");
  } else {
    followView();
  }
});
showView();
learnAccess();
