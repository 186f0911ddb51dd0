// Numbers and times as people read them. Messages are protobuf's JSON: 64-bit numbers are strings,
// a duration is "1.5s".

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const kNone = "–";

export function count(value) {
  return whole.format(Number(value));
}

export function seconds(duration) {
  return duration === undefined || duration === null ? undefined : Number.parseFloat(duration);
}

export function loss(sums) {
  return sums && Number(sums.images) > 0 ? sums.lossSum / Number(sums.images) : undefined;
}

export function accuracy(sums) {
  return sums && Number(sums.images) > 0 ? Number(sums.correct) / Number(sums.images) : undefined;
}

export function lossText(value) {
  return value === undefined || !Number.isFinite(value) ? kNone : value.toFixed(4);
}

export function percentText(value) {
  return value === undefined ? kNone : `${(100 * value).toFixed(2)} %`;
}

/** 45 s, 12 min 5 s, 3 h 20 min, 2 d 4 h. */
export function spanText(value) {
  if (value === undefined || !Number.isFinite(value)) {
    return kNone;
  }
  const total = Math.max(0, Math.round(value));
  const parts = [[Math.floor(total / 86400), "d"], [Math.floor(total / 3600) % 24, "h"],
                 [Math.floor(total / 60) % 60, "min"], [total % 60, "s"]];
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) {
    return "0 s";
  }
  return parts.slice(first, first + 2).filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`).join(" ");
}

/** Of something short. */
export function millisecondsText(value) {
  return value === undefined ? kNone : value >= 1 ? `${value.toFixed(2)} s` : `${(1000 * value).toFixed(1)} ms`;
}

/** The time of day, with the day if it is not today. */
export function timeText(timestamp) {
  if (!timestamp) {
    return kNone;
  }
  const time = new Date(timestamp);
  const today = time.toDateString() === new Date().toDateString();
  return today ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`;
}

export function secondsBetween(earlier, later) {
  return (Date.parse(later) - Date.parse(earlier)) / 1000;
}

const states = {
  RUN_STATE_RUNNING: "running", RUN_STATE_STOPPING: "stopping", RUN_STATE_STOPPED: "stopped",
  RUN_STATE_SUCCEEDED: "finished", RUN_STATE_FAILED: "failed", RUN_STATE_LOST: "lost",
};
const phases = { PHASE_STARTING: "starting", PHASE_TRAINING: "training", PHASE_TESTING: "testing" };

/** running, stopping, stopped, finished, failed, lost. */
export function stateOf(run) {
  return states[run.state] ?? "unknown";
}

/** What a running run is doing: training, testing; otherwise its state. */
export function doing(run) {
  const state = stateOf(run);
  return state === "running" ? phases[run.phase] ?? state : state;
}

export function isGoingOn(run) {
  return ["running", "stopping", "lost"].includes(stateOf(run));
}

export function progressOf(run) {
  const steps = Number(run.spec?.steps ?? 0);
  return steps > 0 ? Number(run.step) / steps : 0;
}
