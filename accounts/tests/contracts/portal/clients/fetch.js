// 登录
const loginResponse = await fetch('/auth/login', {
    method: 'POST',
    headers: {
        'Content-Type': 'application/json',
    },
    body: JSON.stringify({
        username: 'admin',
        password: '123456'
    })
});

const loginData = await loginResponse.json();
const token = loginData.data.token;

// 获取用户信息
const profileResponse = await fetch('/auth/profile', {
    headers: {
        'Authorization': `Bearer ${token}`
    }
});

const profileData = await profileResponse.json();
