/** Forgets what login has kept. */

import { eraseLogin } from '../../client/docker-config.ts'
import { registryKey } from '../../client/registry-auth.ts'
import { command } from '../command.ts'

export const logout = command({
  usage: '[SERVER]',
  words: [0, 1],
  options: {},
  examples: [['tscompose logout registry.example', 'forget the password']],
  async run({ args, screen, env }) {
    const server = registryKey(args[0])
    screen.print((await eraseLogin(server, env)) ? `Removed the login for ${server}` : `Not logged in to ${server}`)
  },
})
