/** Forgets what login has kept. */
import { command } from '../command.ts'
import { eraseLogin } from '../docker-config.ts'
import { registryKey } from '../registry-auth.ts'

export const logout = command({
  usage: '[SERVER]',
  words: [0, 1],
  options: {},
  async run({ args, screen, env }) {
    const server = registryKey(args[0])
    screen.print((await eraseLogin(server, env)) ? `Removed the login for ${server}` : `Not logged in to ${server}`)
  },
})
