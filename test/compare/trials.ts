/** What the table in the README says of three composers: each row is tried, and says what was seen. */
import type { Trial } from './tools.ts'

export interface Row {
  readonly says: string
  /** Short, for the table: "yes", "no" or what was seen. */
  try(trial: Trial): Promise<string> | string
}

const yes = (is: boolean) => (is ? 'yes' : 'no')

function stack(service: string, more = ''): string {
  return `services:\n  web:\n    image: busybox:latest\n    command: ["sleep", "600"]\n    stop_grace_period: 0s\n${indented(service)}${more}`
}

const indented = (lines: string) => lines.replace(/^(?=.)/gm, '    ')

const server = (text: string) =>
  `services:
  web:
    image: busybox:latest
    command: ["sh", "-c", "echo $$TEXT >/index.html; exec httpd -f -p 80 -h /"]
    environment: { TEXT: "${text}" }
    ports: ["127.0.0.1:38131:80"]
    stop_grace_period: 1s
    healthcheck: { test: "wget -q -O - http://127.0.0.1/", interval: 1s, start_period: 10s, start_interval: 200ms }
    deploy: { update_config: { order: start-first } }
`

export const rows: readonly Row[] = [
  {
    says: 'a misspelled attribute is refused, with file, line and column',
    try: trial => {
      trial.write('compose.yaml', stack('imagee: x\n'))
      const { code, text } = trial.compose('config')
      return code === 0 ? 'accepted' : /compose\.yaml:\d+:\d+/.test(text) ? 'yes' : 'refused, without the place'
    },
  },
  {
    says: 'two mistakes in a file are told at once',
    try: trial => {
      trial.write('compose.yaml', stack('mem_limit: plenty\nports: ["http"]\n'))
      const { code, text } = trial.compose('config')
      return yes(code !== 0 && text.includes('plenty') && /http/.test(text))
    },
  },
  {
    says: 'before it acts it tells which field changes, from what to what',
    try: trial => {
      trial.write('compose.yaml', stack('environment: { TAG: before-it }\n'))
      trial.compose('up', '-d')
      trial.write('compose.yaml', stack('environment: { TAG: after-it }\n'))
      const asked = trial.tool.name === 'tscompose' ? ['plan'] : ['--dry-run', 'up', '-d']
      const { text } = trial.compose(...asked)
      return text.includes('before-it') && text.includes('after-it')
        ? 'yes'
        : /recreate/i.test(text)
          ? 'that it recreates'
          : 'no'
    },
  },
  {
    says: 'a limit of memory changes on the container that runs',
    try: trial => {
      trial.write('compose.yaml', stack('mem_limit: 64m\n'))
      trial.compose('up', '-d')
      const before = trial.ids()
      trial.write('compose.yaml', stack('mem_limit: 96m\n'))
      trial.compose('up', '-d')
      const after = trial.ids()
      const isChanged = after.length === 1 && trial.inspect(after[0]!)['HostConfig']?.['Memory'] === 96 * 1024 * 1024
      return before[0] === after[0] && isChanged ? 'yes' : isChanged ? 'by a new container' : 'no'
    },
  },
  {
    says: 'the next `up` brings a secret that has changed',
    try: trial => {
      const file = stack('secrets: [word]\n', 'secrets:\n  word: { file: ./word.txt }\n')
      trial.write('word.txt', 'before')
      trial.write('compose.yaml', file)
      trial.compose('up', '-d')
      trial.write('word.txt', 'after')
      trial.compose('up', '-d')
      return yes(trial.engine('exec', trial.ids()[0] ?? '', 'cat', '/run/secrets/word').text.trim() === 'after')
    },
  },
  {
    says: 'requests that fail while a service with a fixed port is updated, start-first',
    try: async trial => {
      trial.write('compose.yaml', server('one'))
      trial.compose('up', '-d')
      await answers('one')
      trial.write('compose.yaml', server('two'))
      const failed = await trial.unanswered(38131, () => trial.composing('up', '-d'))
      return !(await answers('two')) ? 'no update' : failed === 0 ? 'none' : 'some'
    },
  },
  {
    says: 'a second checkout of the same name leaves the containers of the first alone',
    try: trial => {
      for (const folder of ['one', 'two'])
        trial.write(`${folder}/compose.yaml`, stack(`environment: { FROM: ${folder} }\n`))
      trial.composeIn('one', 'up', '-d')
      const before = trial.ids()
      trial.composeIn('two', 'up', '-d')
      return yes(before.length === 1 && trial.ids().includes(before[0]!))
    },
  },
  {
    says: 'the way back to what ran before is a command',
    try: trial => {
      for (const tag of ['before', 'after']) {
        trial.write('compose.yaml', stack(`environment: { TAG: ${tag} }\n`))
        trial.compose('up', '-d')
      }
      trial.compose('rollback', '--yes')
      const env = trial.inspect(trial.ids()[0]!)['Config']?.['Env']
      return yes(Array.isArray(env) && env.includes('TAG=before'))
    },
  },
  {
    says: '`up --wait` that waits in vain shows what the health check said',
    try: trial => {
      trial.write(
        'compose.yaml',
        stack('healthcheck:\n  test: "echo no-such-table-yet; exit 1"\n  interval: 1s\n  retries: 2\n'),
      )
      const { code, text } = trial.compose('up', '-d', '--wait')
      return text.replaceAll(/exit 1.*/g, '').includes('no-such-table-yet') ? yes(code !== 0) : 'no'
    },
  },
  {
    says: 'a variable that is not set is told with its line',
    try: trial => {
      trial.write('compose.yaml', stack('environment: { TAG: "${COMPARED_TAG}" }\n'))
      const { text } = trial.compose('config', '-q')
      return !text.includes('COMPARED_TAG')
        ? 'silent'
        : /compose\.yaml:\d+/.test(text)
          ? 'yes'
          : 'told, without the place'
    },
  },
]

/** Whether the server of `server()` says so within ten seconds. */
async function answers(text: string): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    try {
      const answer = await fetch('http://127.0.0.1:38131/', { headers: { Connection: 'close' } })
      if ((await answer.text()).trim() === text) return true
    } catch {
      // it does not listen yet
    }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return false
}
