import { spawn } from 'node:child_process'
import { ownProgram } from '../../installation/own-program.ts'
import { printable } from '../../lib/text.ts'
import { stackWords } from '../../ui/model.ts'
import type { Keyboard } from '../../ui/terminal.ts'
import type { ViewOptions } from '../../ui/view.ts'
import { type Call, command } from '../command.ts'
import { usage } from '../options.ts'
import type { Style } from '../screen.ts'
import type { Input } from '../terminal.ts'

const styles: Readonly<Record<Parameters<ViewOptions['tint']>[0], Style>> = {
  strong: 'bold',
  weak: 'dim',
  chosen: 'inverse',
  good: 'green',
  bad: 'red',
  doubtful: 'yellow',
}

export const ui = command({
  usage: '',
  about:
    'All stacks of the engine on the terminal, as they change: states, what they use, the logs of the one that is chosen, and by single keys start, stop, restart, a shell, plan, up and down. "?" shows the keys.',
  words: [0, 0],
  options: {},
  examples: [['tscompose ui', 'all stacks, with what can be done to them by single keys']],
  async run(call) {
    const { screen, stdin, signal } = call
    if (!isKeyboard(stdin) || screen.stdout.isTTY !== true)
      throw usage('Cannot show the stacks: this is no terminal', 'See "tscompose ls" and "tscompose ps"')
    const [{ view }, { Terminal }] = await Promise.all([import('../../ui/view.ts'), import('../../ui/terminal.ts')])
    await view({
      client: await call.connect(),
      tint: (tone, text) => screen.paint(styles[tone], text),
      signal,
      terminal: heard => new Terminal(stdin, screen.stdout, heard),
      run: (words, row, attached) => runOwn(call, [...stackWords(row), ...words], attached),
      waitForKey: () => waitForKey(call, stdin),
    })
  },
})

function isKeyboard(stdin: Input): stdin is Input & Keyboard {
  return stdin.isTTY === true && stdin.setRawMode !== undefined
}

/** Another command of ours. While it has the terminal ^C is meant for it: of the view it says nothing. */
async function runOwn(call: Call, words: readonly string[], attached: boolean): ReturnType<ViewOptions['run']> {
  const [program, ...first] = ownProgram('cli')
  const host = call.globals.host === undefined ? [] : ['--host', call.globals.host]
  const heard = process.listeners('SIGINT')
  const ignore = () => {}
  if (attached) {
    process.on('SIGINT', ignore)
    for (const listener of heard) process.off('SIGINT', listener)
    call.screen.stdout.write('\n')
  }
  try {
    const child = spawn(program, [...first, ...host, ...words], {
      cwd: call.cwd,
      env: call.processEnv,
      stdio: attached ? 'inherit' : ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)))
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
    const code = await promise
    return { code, said: printable(said.trimEnd().split('\n').at(-1) ?? '') }
  } finally {
    if (attached) {
      for (const listener of heard) process.on('SIGINT', listener as () => void)
      process.off('SIGINT', ignore)
    }
  }
}

async function waitForKey({ screen }: Call, stdin: Keyboard): Promise<void> {
  screen.stdout.write(`\n${screen.paint('dim', 'Any key goes back')} `)
  stdin.setRawMode(true)
  stdin.resume()
  await new Promise(done => stdin.once('data', done))
  stdin.pause()
  stdin.setRawMode(false)
}
