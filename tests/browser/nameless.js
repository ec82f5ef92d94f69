// The controls of the page that a screen reader could call by no name but their icon's; without the date field's hidden twin, which nobody reaches.
() => {
  const controls = 'button, a[href], input, textarea, select, [role=combobox], [role=checkbox], [role=radio]';
  const words = node => [...node.querySelectorAll('*')].filter(part => !part.matches('[data-testid=stIconMaterial]') && !part.childElementCount)
    .map(part => part.textContent).join('') || (node.childElementCount ? '' : node.textContent);
  const byIds = ids => ids.split(' ').map(id => document.getElementById(id)?.textContent || '').join(' ');
  const name = node => node.getAttribute('aria-label') || byIds(node.getAttribute('aria-labelledby') || '')
    || [...(node.labels || [])].map(label => label.textContent).join(' ') || node.getAttribute('title') || node.placeholder || words(node);
  return [...document.querySelectorAll(controls)].filter(node => node.checkVisibility() && !node.closest('[inert]') && !node.matches('[type=date][tabindex="-1"]'))
    .filter(node => !(name(node) || '').trim()).map(node => node.outerHTML.slice(0, 160));
}
