/** Finding a code or a user. */
export const code = {
  findTitle: 'Find a code or a user',
  neither: (text: string) => `“${text}” is no code of yours.`,
  asUser: 'Look at it as a user’s id',
  hint: 'Dashes, spaces and lower case do not matter. Copy the code from where the customer has it.',
};
