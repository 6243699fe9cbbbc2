/** Has systemd start the engine with the machine, and with it the keeper; beside another engine, the keeper alone. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseHost } from '../../client/host.ts'
import { keeperSocket } from '../../holding/place.ts'
import { keeperCommand, keeperEnvironment } from '../../holding/start.ts'
import { ownProgram } from '../../installation/own-program.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { command } from '../command.ts'
import { engineUnit, keeperUnit, namesOf, type Unit } from '../systemd-units.ts'

const folder = '/etc/systemd/system'

export const enable = command({
  usage: '[OPTIONS]',
  about:
    'Writes units for systemd and enables them: stacks come up with the machine, in the order and under the conditions of up. Without systemd the units are printed.',
  words: [0, 0],
  options: { print: { kind: 'flag', about: 'Print the units, write nothing' } },
  examples: [
    ['sudo tscompose enable', 'stacks come up with the machine'],
    ['tscompose enable --print', 'only show the units'],
  ],
  async run({ options, globals, env, screen }) {
    const { host, source } = chooseHost(globals.host, env)
    const units = [source === 'default' ? engineUnits() : keeperUnits(host, env)]
    const hasSystemd = existsSync('/run/systemd/system')
    if (options.print || globals['dry-run'] || !hasSystemd) {
      if (!hasSystemd) screen.say('There is no systemd here; these are the units for a machine that has one:')
      screen.print(
        units
          .map(({ name, text }) => `# ${join(folder, name)}\n${text}`)
          .join('\n')
          .trimEnd(),
      )
      return 0
    }
    for (const unit of units) write(unit)
    await systemctl('daemon-reload')
    await systemctl('enable', ...units.map(({ name }) => name))
    screen.say(`${namesOf(units)} will start with the machine; "systemctl start ${units[0]!.name}" starts it now`)
    return 0
  },
})

function engineUnits(): Unit {
  return engineUnit(ownProgram('engine'))
}

function keeperUnits(host: string, env: Readonly<Record<string, string | undefined>>): Unit {
  const socket = keeperSocket({ host, env })
  if (socket === undefined)
    throw new Failure('invalid', 'Cannot tell where the keeper would listen: XDG_RUNTIME_DIR is not set')
  return keeperUnit({ command: keeperCommand({ host, env, socket }), environment: keeperEnvironment({ env }), host })
}

/** @throws Failure `denied` for who may not */
function write({ name, text }: Unit): void {
  const path = join(folder, name)
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${path}.new`, text, { mode: 0o644 })
    renameSync(`${path}.new`, path)
  } catch (cause) {
    const kind = errnoOf(cause) === 'EACCES' ? 'denied' : 'internal'
    throw new Failure(kind, `Cannot write "${path}": ${errnoOf(cause) ?? 'it failed'}`, {
      cause,
      hint: 'Run it with sudo',
    })
  }
}

async function systemctl(...args: readonly string[]): Promise<void> {
  const child = spawn('systemctl', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0)
    throw new Failure('internal', `Cannot enable the units: "systemctl ${args.join(' ')}" ended with ${code}`)
}
