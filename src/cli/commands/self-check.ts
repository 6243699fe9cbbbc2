/** Whether the engine can run on this machine, and what each thing that is missing costs. */
import { command } from '../command.ts'

export const selfCheck = command({
  usage: '[OPTIONS]',
  about:
    'Looks at the kernel, its cgroups, namespaces and file systems, at libraries and programs. Exit code 0: the engine can run here; 1: it cannot. With --strict also 1 where something cannot be had.',
  words: [0, 0],
  options: {
    json: { kind: 'flag', about: 'One JSON document: { version, ok, findings }' },
    quiet: { kind: 'flag', short: 'q', about: 'Only what is missing' },
  },
  examples: [
    ['tscompose self check', 'what this machine has and lacks'],
    ['tscompose self check --json | jq .ok', 'for programs'],
  ],
  async run({ options, globals, screen, env }) {
    const [{ findings }, { thisMachine }] = await Promise.all([
      import('../self/checks.ts'),
      import('../self/machine.ts'),
    ])
    const all = findings(thisMachine(env))
    const missing = all.filter(({ level }) => level === 'missing')
    const limited = all.filter(({ level }) => level === 'limited')
    const ok = missing.length === 0 && !(globals.strict && limited.length > 0)
    if (options.json) screen.print(JSON.stringify({ version: 1, ok, findings: all }, null, 2))
    else {
      const width = Math.max(...all.map(({ name }) => name.length))
      const { paint } = screen
      const words = {
        ok: paint('green', 'ok     '),
        limited: paint('yellow', 'limited'),
        missing: paint('red', 'missing'),
      }
      for (const { name, level, found, cost, hint } of options.quiet ? [...missing, ...limited] : all) {
        screen.print(`${words[level]}  ${name.padEnd(width)}  ${found}`)
        const indent = ' '.repeat(width + 11)
        if (cost !== undefined) screen.print(`${indent}${cost}`)
        if (hint !== undefined) screen.print(`${indent}${paint('dim', hint)}`)
      }
      screen.print(
        missing.length > 0
          ? `The engine cannot run here: ${missing.map(({ name }) => name).join(', ')}`
          : limited.length > 0
            ? `The engine can run here, without all that ${limited.map(({ name }) => name).join(', ')} would give`
            : 'The engine can run here, with all it has',
      )
    }
    return ok ? 0 : 1
  },
})
