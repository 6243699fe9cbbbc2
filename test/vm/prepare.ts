/** Makes what the virtual machine boots from, unless it is there already. */
import { preparedKernel, preparedMachine } from './prepared.ts'

preparedMachine()
preparedKernel()
