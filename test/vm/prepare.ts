/** Makes what the virtual machine boots from, unless it is there already. */
import { preparedMachine } from './machine.ts'

preparedMachine()
