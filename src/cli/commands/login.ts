/** Tries a name and password at a registry, by the engine, and keeps them where Docker's clients keep them. */
import { systemEndpoints } from '../../api/system.ts'
import { storeLogin } from '../../client/docker-config.ts'
import { hubKey, registryKey } from '../../client/registry-auth.ts'
import { Failure } from '../../lib/failure.ts'
import { askLine, askSecret } from '../ask.ts'
import { command } from '../command.ts'
import { usage } from '../options.ts'

export const login = command({
  usage: '[OPTIONS] [SERVER]',
  about:
    'The password is asked for, or read from standard input; never given as an argument, which others on this machine can read.',
  words: [0, 1],
  options: {
    username: { kind: 'text', short: 'u', value: 'NAME', about: 'Who to be there' },
    'password-stdin': { kind: 'flag', about: 'Read the password from standard input' },
  },
  examples: [['tscompose login 127.0.0.1:5000 -u alice --password-stdin <password.txt', 'in a script']],
  async run(call) {
    const { options, args, screen, signal, env } = call
    const server = registryKey(args[0])
    const piped = options['password-stdin']
    if (piped && !options.username) throw usage('Cannot read a password from standard input without --username')
    if (!piped && !call.stdin.isTTY)
      throw usage('Cannot ask for a password: standard input is no terminal', 'Pipe it in with --password-stdin')
    const username = options.username ?? (await askLine(call, 'Username: '))
    if (username === '') throw new Failure('invalid', 'Cannot log in: a username is needed')
    const password = piped ? await readSecret(call.stdin) : await askSecret(call, 'Password: ')
    if (password === '') throw new Failure('invalid', 'Cannot log in: a password is needed')
    const client = await call.connect()
    const body = { username, password, serveraddress: server }
    const { Status, IdentityToken } = await client.call(systemEndpoints.auth, { body }, { signal })
    const kept = IdentityToken
      ? { Username: '<token>', Secret: IdentityToken }
      : { Username: username, Secret: password }
    const where = await storeLogin(server, kept, env)
    if (where.endsWith('.json'))
      screen.warn(`the password is kept unencrypted in "${where}": a credential helper keeps it better`)
    screen.print(`${Status} at ${server === hubKey ? "Docker's hub" : server}`)
  },
})

const longest = 64 * 1024

/** All of standard input, less the newline at its end. */
async function readSecret(input: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of input) {
    pieces.push(piece)
    length += piece.length
    if (length > longest) throw new Failure('invalid', `Cannot read a password: it is longer than ${longest} bytes`)
  }
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
