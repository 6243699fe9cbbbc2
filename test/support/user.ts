/** An ordinary user of this machine for a test, with ids to give away and folders of its own; gone afterwards. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errnoOf } from '../../src/lib/failure.ts'
import { type CommandOptions, command, type Said } from './command.ts'
import { eventually } from './eventually.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const tun = '/dev/net/tun'

export class TestUser {
  readonly name: string
  readonly uid: number
  /** Short, and the user's own. */
  readonly folder: string
  /** With a systemd of its own, which gives groups away. */
  readonly isLogged: boolean
  readonly #tunMode: number | undefined

  private constructor(
    name: string,
    folder: string,
    { isLogged, tunMode }: { isLogged: boolean; tunMode: number | undefined },
  ) {
    const stat = statSync(join(folder, 'home'))
    this.name = name
    this.uid = stat.uid
    this.folder = folder
    this.isLogged = isLogged
    this.#tunMode = tunMode
  }

  static async make(): Promise<TestUser> {
    const folder = mkdtempSync(join(tmpdir(), 'tsu-'))
    chmodSync(folder, 0o755)
    const name = `tsc${folder.slice(-6).toLowerCase()}`
    const home = join(folder, 'home')
    for (const file of ['/etc/subuid', '/etc/subgid']) if (!existsSync(file)) await expectOk('touch', [file])
    await expectOk('useradd', ['--create-home', '--home-dir', home, '--shell', '/bin/sh', name])
    if (!new RegExp(`^${name}:`, 'm').test(readFileSync('/etc/subuid', 'utf8')))
      await expectOk('usermod', ['--add-subuids', '3000000-3065535', '--add-subgids', '3000000-3065535', name])
    // the checkout may lie where only its owner gets to
    mkdirSync(join(folder, 'project'))
    // for reading: who removes what a broken run has left must not remove the checkout with it
    await expectOk('mount', ['--bind', '-o', 'ro', checkout, join(folder, 'project')])
    const tunMode = await openTun()
    const { uid, gid } = statSync(home)
    const isLogged = existsSync('/run/systemd/system')
    if (isLogged) {
      await expectOk('loginctl', ['enable-linger', name])
      await eventually('the systemd of the user', () => existsSync(`/run/user/${uid}/systemd/private`), 120_000)
    } else {
      mkdirSync(join(folder, 'run'), { mode: 0o700 })
      chownSync(join(folder, 'run'), uid, gid)
    }
    return new TestUser(name, folder, { isLogged, tunMode })
  }

  get project(): string {
    return join(this.folder, 'project')
  }

  get home(): string {
    return join(this.folder, 'home')
  }

  get run(): string {
    return this.isLogged ? `/run/user/${this.uid}` : join(this.folder, 'run')
  }

  get socket(): string {
    return join(this.run, 'tscompose/engine.sock')
  }

  /** Runs a program as this user, with what a login gives it. */
  as(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Said> {
    const words = ['--reuid', this.name, '--regid', this.name, '--init-groups', program, ...args]
    const unset = {
      DOCKER_HOST: undefined,
      XDG_DATA_HOME: undefined,
      XDG_CONFIG_HOME: undefined,
      XDG_STATE_HOME: undefined,
      XDG_CACHE_HOME: undefined,
    }
    const own = {
      HOME: this.home,
      USER: this.name,
      LOGNAME: this.name,
      XDG_RUNTIME_DIR: this.run,
      NO_COLOR: '1',
      // the launcher's own, in this home: that of a run of tests is another user's
      NODE_COMPILE_CACHE: undefined,
      TSCOMPOSE_STATE: undefined,
    }
    return command('setpriv', words, {
      cwd: this.home,
      timeout: 120_000,
      ...options,
      env: { ...unset, ...own, ...options.env },
    })
  }

  tscompose(args: readonly string[], options: CommandOptions = {}): Promise<Said> {
    return this.as(join(this.project, 'src/cli/tscompose'), args, options)
  }

  /** Its processes, but for those of its systemd. */
  processes(): readonly string[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(pid => {
        try {
          if (statSync(`/proc/${pid}`).uid !== this.uid) return []
          const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
          return words === '' || /systemd|\(sd-pam\)|dbus-daemon/.test(words) ? [] : [words]
        } catch {
          // it has ended
          return []
        }
      })
  }

  /** Ends all that is left of it. */
  async remove(): Promise<void> {
    if (this.isLogged) {
      await command('loginctl', ['disable-linger', this.name])
      await command('loginctl', ['terminate-user', this.name])
      await eventually('the end of the session', () => !existsSync(`/run/user/${this.uid}`), 60_000)
    }
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      if (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid === this.uid) kill(Number(pid))
    if (this.#tunMode !== undefined) chmodSync(tun, this.#tunMode)
    await expectOk('umount', [this.project])
    await eventually('the user to go', async () => (await command('userdel', [this.name])).code === 0)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** As udev leaves it. The mode it had, where that was another one. */
async function openTun(): Promise<number | undefined> {
  if (!existsSync(tun)) await command('modprobe', ['tun'])
  const mode = statSync(tun, { throwIfNoEntry: false })?.mode
  if (mode === undefined || (mode & 0o6) === 0o6) return undefined
  chmodSync(tun, 0o666)
  return mode & 0o777
}

/** What ends when others of its kind are killed may be gone already. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}

async function expectOk(program: string, args: readonly string[]): Promise<void> {
  const said = await command(program, args)
  assert.equal(said.code, 0, `${program} ${args.join(' ')}\n${said.stdout}${said.stderr}`)
}
