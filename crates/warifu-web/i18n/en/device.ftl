## Sessions bound to a key of the device
sessions-bound = bound to it
sessions-signs = signs what is protected
session-bound-signs = { $network } matches; this browser signs what is protected
sign-in-device-title = This session belongs to another device
sign-in-device-what = The browser did not show that it is the one in which you signed in.
sign-in-device-how = Sign in again to go on. If this happens again and again, tell whoever runs this installation.
notice-device-key = One of your sessions was used without the key of the device that it is bound to. Somebody may have copied its cookie.
error-device-title = This browser did not sign the request
error-device-what = Nothing was changed: your session is bound to a key of the browser in which you signed in, and the request came without its signature.
error-device-how = Load the page anew and try again, with JavaScript on. If that does not help, sign out and in again.
