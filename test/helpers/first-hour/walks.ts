import type { Newcomer } from './newcomer.ts';

/** Ctrl+E, Ctrl+U: takes away what is in a field. */
const clear = '\u0005\u0015';
const enter = '\r';
const escape = '\u001b';
const keysOfInput = /enter triggers, tab goes back, esc closes, Ctrl\+U clears/;
const keysOfChooser = /type to find, ↑ ↓ choose, enter goes on to the input, esc closes/;
const list = /STATUS +WORKFLOW/;
const hint = /R runs it again, .*esc goes back/;

/** What there is to see and to do in the terminal UI with a template, once its worker serves. */
export const walks: Readonly<Record<string, (newcomer: Newcomer) => Promise<void>>> = {
  simple,
  dag,
  durable,
  events,
  fanout,
  python,
  scheduled,
};

interface Triggered {
  workflow: string;
  /** What its input begins with. */
  input: RegExp;
  /** Typed to find it, where the form asks. */
  find?: string;
  /** In place of the input. */
  instead?: string;
}

/** They are registered one after the other, and with one alone the form does not ask which. */
async function untilKnown(newcomer: Newcomer, ...workflows: readonly string[]): Promise<void> {
  newcomer.press('2');
  await newcomer.sees(...workflows.map((workflow) => new RegExp(`^[ ▸]*${workflow} `, 'm')));
  newcomer.press('1');
  await newcomer.sees(list);
}

/** The form in which Enter triggers: opened by `t`, or by what came before. */
async function triggers(newcomer: Newcomer, { workflow, input, find, instead }: Triggered): Promise<void> {
  if (find !== undefined) {
    await newcomer.sees(/╭─ Trigger a workflow ─+╮/, keysOfChooser);
    newcomer.press(find);
    await newcomer.sees(new RegExp(`workflow +${find} *│\\n│ ▸ ${workflow} `));
    newcomer.press(enter);
  }
  await newcomer.sees(/╭─ Trigger a workflow ─+╮/, new RegExp(`workflow +${workflow} `), input, keysOfInput);
  if (instead !== undefined) {
    newcomer.press(`${clear}${instead}`);
    await newcomer.sees(new RegExp(`input +${literal(instead)} *│`));
  }
  newcomer.press(enter);
}

async function seesOutput(newcomer: Newcomer, workflow: string, output: RegExp): Promise<void> {
  await newcomer.sees(new RegExp(`▸ ✓ COMPLETED +${workflow} `));
  newcomer.press(enter);
  await newcomer.sees(new RegExp(`✓ COMPLETED ${workflow} +\\S+ +.* ago, took [\\d.]+ m?s$`, 'm'));
  newcomer.press('o');
  await newcomer.sees(/▸\[o\]utput/, output);
  await backToRuns(newcomer);
}

async function backToRuns(newcomer: Newcomer): Promise<void> {
  newcomer.press(escape);
  await newcomer.sees(list);
}

/** The selected run has failed: where and why is on its first screen. */
async function seesFailure(
  newcomer: Newcomer,
  { workflow, error, file, code }: { workflow: string; error: RegExp; file: string; code: string },
): Promise<void> {
  await newcomer.sees(new RegExp(`▸ ✗ FAILED +${workflow} `));
  newcomer.press(enter);
  await newcomer.sees(/▸\[f\]ailure/, error, newcomer.placeOf(file, code), hint);
}

/** The code is mended: the open run goes through. */
async function replays(
  newcomer: Newcomer,
  { workflow, reloads }: { workflow: string; reloads: RegExp },
): Promise<void> {
  await newcomer.sees(reloads);
  newcomer.press('R');
  await newcomer.sees(/╭─ Replay ─+╮/, new RegExp(`Run .*${workflow}.* again`), /y runs it again, n leaves it/);
  newcomer.press('y');
  await newcomer.sees(new RegExp(`✓ COMPLETED ${workflow} `), /RUN_FINISHED/);
}

/** A slip in a task's code: seen as it is saved, in the run that fails by it, and mended. */
async function slips(
  newcomer: Newcomer,
  {
    workflow,
    file,
    right,
    wrong,
    error,
    warning,
  }: { workflow: string; file: string; right: string; wrong: string; error: RegExp; warning: readonly RegExp[] },
): Promise<void> {
  newcomer.edit(file, right, wrong);
  await newcomer.sees(/worker serving \(1 reload\)/, ...warning);
  newcomer.press('t');
  await newcomer.sees(keysOfInput);
  newcomer.press(enter);
  await seesFailure(newcomer, { workflow, error, file, code: wrong });
  newcomer.edit(file, wrong, right);
  await replays(newcomer, { workflow, reloads: /worker serving \(2 reloads\)/ });
  await backToRuns(newcomer);
}

async function simple(newcomer: Newcomer): Promise<void> {
  await newcomer.sees(/Press t to trigger simple\./);
  newcomer.press('?');
  await newcomer.sees(/╭─ Keys 1–\d+ of \d+, ↓ for more ─+╮/, /│ t +trigger a workflow/, /│ R +run again/);
  newcomer.press(escape);
  await newcomer.seesNothingOf(/Keys/);
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'simple', input: /\{"message":"Hello, World"\}/ });
  await seesOutput(newcomer, 'simple', /"message": "hello, world"/);
  // A word that is no method, then a sign that is no code.
  await slips(newcomer, {
    workflow: 'simple',
    file: 'src/simple.ts',
    right: 'message.toLowerCase()',
    wrong: 'message.toLowercase()',
    error: /message\.toLowercase is not a function/,
    warning: [/1 type error\(s\): src\/simple\.ts:\d+:\d+ /, /Did you mean 'toLowerCase'\?/],
  });
  newcomer.edit('src/simple.ts', 'message.toLowerCase()', 'message.toLowerCase(;');
  await newcomer.sees(/✗ not built, the last good worker serves: src\/simple\.ts:\d+:\d+ +\S.*\n/);
  newcomer.edit('src/simple.ts', 'message.toLowerCase(;', 'message.toLowerCase()');
  await newcomer.seesNothingOf(/not built/);
}

async function dag(newcomer: Newcomer): Promise<void> {
  await newcomer.sees(/Press t to trigger order\./);
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'order', input: /\{"customer":"ada","items":\[1200,350\]\}/ });
  await newcomer.sees(/▸ ✓ COMPLETED +order /);
  newcomer.press(enter);
  await newcomer.sees(/ ✓ check +─┬─▶✓ charge ─+┬─▶✓ ship\n +└─▶✓ pack +─+┘\n/);
  newcomer.press('G');
  await newcomer.sees(/▸✓ ship/);
  newcomer.press('o');
  await newcomer.sees(/"1 parcel\(s\) sent for ada-1550"/);
  await backToRuns(newcomer);
  // As the template's README has it: the limit is raised, and the run that failed by it runs again.
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'order', input: /items/, instead: '{"customer":"ada","items":[2000000]}' });
  await seesFailure(newcomer, {
    workflow: 'order',
    error: /a total of 2000000 cents is more than 1000000/,
    file: 'src/order.ts',
    code: 'throw new',
  });
  newcomer.edit('src/order.ts', 'largestTotal = 1_000_000', 'largestTotal = 3_000_000');
  await replays(newcomer, { workflow: 'order', reloads: /worker serving \(1 reload\)/ });
  newcomer.press('G');
  await newcomer.sees(/▸✓ ship/);
  newcomer.press('o');
  await newcomer.sees(/"1 parcel\(s\) sent for ada-2000000"/);
}

async function durable(newcomer: Newcomer): Promise<void> {
  await newcomer.sees(/Press t to trigger \w+\./);
  await untilKnown(newcomer, 'agent', 'purchase');
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'purchase', find: 'pur', input: /\{"id":"17","amount":900\}/ });
  await newcomer.sees(/▸ \S (?:RUNNING|EVICTED) +purchase /);
  newcomer.press(enter);
  await newcomer.sees(
    /▸\[d\]urable/,
    /├─ 1 ✓ memo\(/,
    /▸└─ 2 … sleep 1h or event "purchase:decided"/,
    /waits .*, ends in 59 m/,
    /s skips the sleep {2}b branches from here/,
    /x cancels it, ↑ ↓ choose a node, esc goes back/,
  );
  newcomer.press('s');
  await newcomer.sees(/✓ COMPLETED purchase /);
  newcomer.press('o');
  await newcomer.sees(/"outcome": "nobody decided in time"/);
  await backToRuns(newcomer);
  // With a run that is looked at, the form begins with its workflow; tab goes back to the others.
  newcomer.press('t');
  await newcomer.sees(/workflow +purchase /, keysOfInput);
  newcomer.press('\t');
  await triggers(newcomer, {
    workflow: 'agent',
    find: 'age',
    input: /\{"question":"How far is it from Rome to Paris\?"\}/,
  });
  await seesOutput(newcomer, 'agent', /"answer": "about 1110 km"/);
}

async function events(newcomer: Newcomer): Promise<void> {
  // Not the ten seconds of the template: this machine may be slow.
  newcomer.edit('src/signup.ts', "SleepCondition('10s')", "SleepCondition('10m')");
  await newcomer.sees(/worker serving \(1 reload\)/, /Press t to trigger signup\./);
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'signup', input: /\{"name":"Ada","plan":"pro"\}/ });
  await newcomer.sees(/▸ \S (?:QUEUED|RUNNING) +signup /);
  newcomer.press(enter);
  await newcomer.sees(/✓ welcome +─+▶. follow-up/);
  newcomer.press('Gw');
  await newcomer.sees(/▸\[w\]hy/, /waits for a sleep of 10m to start, or the event\s+"user:confirmed"/);
  newcomer.press('E');
  await newcomer.sees(
    /╭─ Push an event ─+╮/,
    /▸ user:created/,
    /type to find, ↑ ↓ choose, enter goes on to the payload, esc closes/,
  );
  newcomer.press('user:confirmed');
  await newcomer.sees(/▸ user:confirmed {2}\(as typed\)/);
  newcomer.press(enter);
  await newcomer.sees(/enter pushes, tab goes back, esc closes, Ctrl\+U clears/);
  newcomer.press(`${clear}{"by":"mail"}`);
  await newcomer.sees(/payload +\{"by":"mail"\}/);
  newcomer.press(enter);
  await newcomer.sees(/✓ COMPLETED signup /);
  newcomer.press('o');
  await newcomer.sees(/"message": "Ada is with us"/);
}

async function fanout(newcomer: Newcomer): Promise<void> {
  await newcomer.sees(/Press t to trigger album\./);
  await untilKnown(newcomer, 'album', 'thumbnail');
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'album', find: 'alb', input: /\{"customer":"ada","images":20\}/ });
  await seesOutput(newcomer, 'album', /"files": 20,\n +"bytes": 20190/);
  newcomer.press('4');
  await newcomer.sees(
    /▸ album:album +0 +0 /,
    / thumbnail:thumbnail +0 +0 /,
    /0 wait for a key, 0 for units, 0 for a batch, 0 for a retry$/m,
    /enter shows what is queued {2}t triggers its workflow/,
  );
}

async function python(newcomer: Newcomer): Promise<void> {
  await newcomer.sees(/Press t to trigger simple\./);
  newcomer.press('t');
  await triggers(newcomer, { workflow: 'simple', input: /\{"message":"Hello, World"\}/ });
  await seesOutput(newcomer, 'simple', /"message": "hello, world"/);
  await slips(newcomer, {
    workflow: 'simple',
    file: 'src/simple.py',
    right: 'message=input.message.lower()',
    wrong: 'message=input.message.lwoer()',
    error: /has no attribute 'lwoer'/,
    warning: [],
  });
}

async function scheduled(newcomer: Newcomer): Promise<void> {
  // Its cron may have started a run already.
  newcomer.press('2');
  await newcomer.sees(/ reminder +ACTIVE/, / report +ACTIVE/);
  newcomer.press('G');
  await newcomer.sees(/▸ report +ACTIVE/, /p pauses it {2}t triggers it {2}enter shows its runs/);
  newcomer.press('t');
  await triggers(newcomer, {
    workflow: 'report',
    input: /\{"remindAfterSeconds":10\}/,
    instead: '{"remindAfterSeconds":3600}',
  });
  await newcomer.sees(/triggered report, run /);
  newcomer.press('1');
  await seesOutput(newcomer, 'report', /"reminder": "[0-9a-f-]{36}"/);
  newcomer.press('5');
  await newcomer.sees(/▸ \* \* \* \* \* +report +yes/, /reminder +.* in 59 m/);
  newcomer.press('G');
  await newcomer.sees(/▸ \S+ +reminder /, /n runs it now {2}x deletes it {2}y copies its id/);
  newcomer.press('n');
  await newcomer.sees(/╭─ Run now ─+╮/, /│ y runs it/);
  newcomer.press('y');
  await newcomer.sees(/No scheduled run is to come/);
  newcomer.press('1');
  await newcomer.sees(/✓ COMPLETED +reminder /);
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
